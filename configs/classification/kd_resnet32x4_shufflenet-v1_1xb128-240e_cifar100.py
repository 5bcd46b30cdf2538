"""ResNet-32x4 teaches ShuffleNetV1 on CIFAR-100 (paper): KD of the class logits."""

_base_ = ['./plain_shufflenet-v1_1xb128-240e_cifar100.py']

model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='configs/classification/plain_resnet32x4_1xb128-240e_cifar100.py',
        checkpoint='work_dirs/plain_resnet32x4_1xb128-240e_cifar100/epoch_240.pth',
    ),
)
optim_wrapper = dict(optimizer=dict(lr=0.02))
