"""The teacher on Fashion-MNIST: three times as wide, all 60,000 images."""

_base_ = ['./fashion_mnist_student.py']

model = dict(
    backbone=dict(stem_channels=24, base_channels=24),
    head=dict(in_channels=96),
)
train_dataloader = dict(batch_size=128)

max_iters = 2800
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = dict(T_max=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters))
