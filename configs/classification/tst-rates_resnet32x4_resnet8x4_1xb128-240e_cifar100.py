"""Ablation: only the rates learn, magnitudes stay at 0.5."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(augmenter=dict(_delete_=True, type='tst_mm.PaperAugmenter', preset='recommended'))

custom_hooks = _base_.custom_hooks
custom_hooks[0].search = dict(
    type='tst_mm.GradientSearch',
    optim_wrapper=dict(
        optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0),
        paramwise_cfg=dict(custom_keys=dict(magnitude_logits=dict(lr_mult=0))),
    ),
)
