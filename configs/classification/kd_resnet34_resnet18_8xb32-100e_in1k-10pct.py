"""ResNet-34 teaches ResNet-18 on a tenth of ImageNet: KD."""

_base_ = ['./kd_resnet34_resnet18_8xb32-100e_in1k.py']

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='tst_mm.BalancedSubset',
        dataset={{_base_.train_dataloader.dataset}},
        fraction=0.1,
    )
)
