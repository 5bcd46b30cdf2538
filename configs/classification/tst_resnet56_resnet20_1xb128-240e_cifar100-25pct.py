"""ResNet-56 teaches ResNet-20 on 25 % of CIFAR-100: TST."""

_base_ = ['./tst_resnet56_resnet20_1xb128-240e_cifar100-10pct.py']

train_dataloader = dict(dataset=dict(fraction=0.25))
