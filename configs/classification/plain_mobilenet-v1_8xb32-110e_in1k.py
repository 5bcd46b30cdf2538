"""MobileNetV1 on ImageNet without a teacher, on the schedule of its distillation."""

_base_ = ['./plain_resnet18_8xb32-100e_in1k.py']

model = dict(
    backbone=dict(_delete_=True, type='tst_mm.MobileNetV1'),
    head=dict(in_channels=1024),
)
optim_wrapper = dict(optimizer=dict(lr=0.2))
train_cfg = dict(max_epochs=110)
