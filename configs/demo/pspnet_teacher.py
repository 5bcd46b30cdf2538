"""The teacher of the PSPNet demo: wider, trained longer, and sees all 400 scenes."""

_base_ = [
    '../_base_/datasets/composed_cityscapes.py',
    '../_base_/models/demo_pspnet.py',
    '../_base_/schedules/demo_pspnet.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmseg'
model = dict(
    backbone=dict(stem_channels=24, base_channels=24),
    decode_head=dict(in_channels=96, channels=48),
    auxiliary_head=dict(in_channels=48, channels=24),
)

param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, T_max=750, by_epoch=False),
]
train_cfg = dict(max_iters=800, val_interval=400)

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
