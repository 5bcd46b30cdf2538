"""The teacher of the PSPNet demo: wider, and sees all scenes."""

_base_ = [
    '../_base_/datasets/composed_cityscapes.py',
    '../_base_/models/demo_pspnet.py',
    '../_base_/schedules/demo_pspnet.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmseg'
model = dict(
    backbone=dict(stem_channels=32, base_channels=32),
    decode_head=dict(in_channels=128, channels=64),
    auxiliary_head=dict(in_channels=64, channels=32),
)

# Strong augmentation, as good teachers are trained: mmseg's own operators.
train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='RandomFlip', prob=0.5),
            dict(type='RandomRotate', prob=0.5, degree=30, seg_pad_val=255),
            dict(type='PhotoMetricDistortion'),
            dict(type='PackSegInputs'),
        ]
    ),
)
