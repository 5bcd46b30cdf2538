"""A slim ResNet-18 on few images of the full Fashion-MNIST; the matrix chooses which."""

_base_ = [
    '../../../configs/_base_/datasets/fashion_mnist.py',
    '../../../configs/_base_/models/demo_classifier.py',
    './_schedule.py',
    '../../../configs/_base_/default_runtime.py',
]

train_dataloader = dict(
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True),
    dataset=dict(
        pipeline=[
            dict(type='mmpretrain.RandomFlip', prob=0.5),
            dict(type='mmpretrain.PackInputs'),
        ]
    ),
)
