"""The teacher of the classification demo: wider, and sees all 6,000 embedded images."""

_base_ = [
    '../_base_/datasets/fashion_mnist_embedded.py',
    '../_base_/models/demo_classifier.py',
    '../_base_/schedules/demo_classification.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(stem_channels=16, base_channels=16),
    head=dict(in_channels=64),
)

param_scheduler = dict(T_max=14)
train_cfg = dict(max_epochs=14, val_interval=14)
default_hooks = dict(checkpoint=dict(interval=14))
custom_hooks = [dict(type='tst_mm.ChannelsLastHook')]

# Strong augmentation, as good teachers are trained: mmpretrain's own operators.
_random = [
    dict(type='mmpretrain.Rotate', magnitude_range=(0, 30)),
    dict(type='mmpretrain.Shear', magnitude_range=(0, 0.3), direction='horizontal'),
    dict(type='mmpretrain.Shear', magnitude_range=(0, 0.3), direction='vertical'),
    dict(type='mmpretrain.Translate', magnitude_range=(0, 0.3), direction='horizontal'),
    dict(type='mmpretrain.Translate', magnitude_range=(0, 0.3), direction='vertical'),
    dict(type='mmpretrain.Brightness', magnitude_range=(0, 0.9)),
    dict(type='mmpretrain.Sharpness', magnitude_range=(0, 0.9)),
    dict(type='mmpretrain.Posterize', magnitude_range=(8, 4)),
    dict(type='mmpretrain.Solarize', magnitude_range=(256, 0)),
    dict(type='mmpretrain.Invert'),
]
train_dataloader = dict(
    num_workers=1,  # changes images while the model computes
    persistent_workers=True,
    dataset=dict(
        pipeline=[
            dict(type='mmpretrain.RandomFlip', prob=0.5),
            dict(
                type='mmpretrain.RandAugment',
                policies=_random,
                num_policies=2,
                magnitude_level=10,
                magnitude_std='inf',
            ),
            dict(type='mmpretrain.PackInputs'),
        ]
    ),
)
