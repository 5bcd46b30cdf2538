"""Ablation: fitted operators, as published, in place of the closed forms."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(
    augmenter=dict(
        _delete_=True, type='tst_mm.PaperAugmenter', preset='recommended', operators='fitted'
    )
)

custom_hooks = _base_.custom_hooks
custom_hooks[0].search = dict(type='tst_mm.GradientSearch')
