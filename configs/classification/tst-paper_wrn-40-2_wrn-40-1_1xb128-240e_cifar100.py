"""WRN-40-2 teaches WRN-40-1 on CIFAR-100 (paper): TST exactly as published."""

_base_ = ['./tst_wrn-40-2_wrn-40-1_1xb128-240e_cifar100.py', '../_base_/models/tst_paper.py']

model = {{_base_.paper}}
