"""A slim ResNet-18 on few images of CIFAR-10; the matrix chooses which.

The data is a folder with ``train/<class>/*`` and ``test/<class>/*``: see benchmarks/accuracy.
"""

_base_ = ['./fashion_mnist_student.py']

data_preprocessor = dict(
    num_classes=10, mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7], to_rgb=True
)
model = dict(backbone=dict(in_channels=3))

dataset = dict(
    _delete_=True,
    type='mmpretrain.CustomDataset',
    data_root='data/cifar10',
    with_label=True,
)
load = dict(type='LoadImageFromFile')
pack = dict(type='mmpretrain.PackInputs')
usual = [
    dict(type='mmpretrain.RandomCrop', crop_size=32, padding=4),
    dict(type='mmpretrain.RandomFlip', prob=0.5),
]
train_dataloader = dict(dataset=dict(data_prefix='train', pipeline=[load, *usual, pack], **dataset))
val_dataloader = dict(
    dataset=dict(data_prefix='test', pipeline=[load, pack], test_mode=True, **dataset)
)
test_dataloader = val_dataloader
del dataset, load, pack, usual
