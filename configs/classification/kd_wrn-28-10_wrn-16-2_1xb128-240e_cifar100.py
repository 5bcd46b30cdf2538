"""WRN-28-10 teaches WRN-16-2 on CIFAR-100 (paper): KD of the class logits."""

_base_ = ['./plain_wrn-16-2_1xb128-240e_cifar100.py']

model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='configs/classification/plain_wrn-28-10_1xb128-240e_cifar100.py',
        checkpoint='work_dirs/plain_wrn-28-10_1xb128-240e_cifar100/epoch_240.pth',
    ),
)
