"""A slim PSPNet on few tiles of land cover; the matrix chooses which."""

_base_ = [
    '../../../configs/_base_/datasets/land_cover.py',
    '../../../configs/_base_/models/demo_pspnet.py',
    '../../../configs/_base_/schedules/demo_pspnet.py',
    '../../../configs/_base_/default_runtime.py',
]

default_scope = 'mmseg'
loss_decode = dict(class_weight=None)
model = dict(
    data_preprocessor=dict(size=(128, 128)),
    decode_head=dict(num_classes=8, loss_decode=loss_decode),
    auxiliary_head=dict(num_classes=8, loss_decode=loss_decode),
)
del loss_decode
train_dataloader = dict(
    batch_size=4,
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='mmseg.LoadAnnotations'),
            dict(type='RandomFlip', prob=[0.5, 0.5], direction=['horizontal', 'vertical']),
            dict(type='mmseg.PackSegInputs'),
        ]
    ),
)
