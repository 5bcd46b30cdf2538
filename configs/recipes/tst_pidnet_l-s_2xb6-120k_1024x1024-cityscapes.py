"""PIDNet-L teaches PIDNet-S, in its library's own schedule."""

_base_ = ['mmseg::pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.SegmentationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmseg::pidnet/pidnet-l_2xb6-120k_1024x1024-cityscapes.py',
        checkpoint='https://download.openmmlab.com/'
        'mmsegmentation/v0.5/pidnet/pidnet-l_2xb6-120k_1024x1024-cityscapes/'
        'pidnet-l_2xb6-120k_1024x1024-cityscapes_20230303_114514-0783ca6b.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
