"""VGG-13 teaches MobileNetV2 of half width on CIFAR-100 (paper): KD of the class logits."""

_base_ = ['./plain_mobilenet-v2_1xb128-240e_cifar100.py']

model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='configs/classification/plain_vgg13_1xb128-240e_cifar100.py',
        checkpoint='work_dirs/plain_vgg13_1xb128-240e_cifar100/epoch_240.pth',
    ),
)
