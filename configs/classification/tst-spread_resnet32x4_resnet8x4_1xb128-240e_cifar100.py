"""Ablation: short augmenter stages, spread over the whole training."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

# 22 stages, 2,200 steps in place of 23,460; the first one already meets a trained student.
custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        stages=dict(first=20, every=10, iters=100),
    )
]
