"""Ablation: the objective in the words of the paper, CE(teacher) - CE(student)."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(
    augmenter=dict(_delete_=True, type='tst_mm.PaperAugmenter', preset='recommended'),
    objective=dict(type='tst_mm.FlippedObjective', form='difference'),
)

custom_hooks = _base_.custom_hooks
custom_hooks[0].search = dict(type='tst_mm.GradientSearch')
