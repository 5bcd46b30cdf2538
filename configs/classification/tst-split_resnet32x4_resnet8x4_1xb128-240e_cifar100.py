"""TST at the cost of plain KD: half of each batch augmented, half clean."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(batch_mode='split')
