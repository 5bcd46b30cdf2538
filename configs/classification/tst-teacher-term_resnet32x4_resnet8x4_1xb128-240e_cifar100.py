"""Ablation: the augmenter looks for what the teacher is good at."""

_base_ = ['./tst_resnet32x4_resnet8x4_1xb128-240e_cifar100.py']

model = dict(
    augmenter=dict(_delete_=True, type='tst_mm.PaperAugmenter', preset='recommended'),
    objective=dict(type='tst_mm.FlippedObjective', student_weight=0),
)
