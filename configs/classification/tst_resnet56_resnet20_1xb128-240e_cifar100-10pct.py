"""ResNet-56 teaches ResNet-20 on a tenth of CIFAR-100: TST."""

_base_ = ['./tst_resnet56_resnet20_1xb128-240e_cifar100.py']

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='tst_mm.BalancedSubset',
        dataset={{_base_.train_dataloader.dataset}},
        fraction=0.1,
    )
)
