"""Full Fashion-MNIST, 60,000 + 10,000 images: ``python tools/data/fashion_mnist.py`` first."""

_base_ = ['./fashion_mnist_embedded.py']

dataset = dict(
    _delete_=True,
    type='mmpretrain.FashionMNIST',
    data_root='data/fashion_mnist',
    download=False,
    pipeline={{_base_.pipeline}},
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='test', test_mode=True, **dataset))
test_dataloader = val_dataloader
del dataset
