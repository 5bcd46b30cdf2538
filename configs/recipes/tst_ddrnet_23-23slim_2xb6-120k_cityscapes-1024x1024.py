"""DDRNet-23 teaches DDRNet-23-slim, in its library's own schedule."""

_base_ = ['mmseg::ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.SegmentationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmseg::ddrnet/ddrnet_23_in1k-pre_2xb6-120k_cityscapes-1024x1024.py',
        checkpoint='https://download.openmmlab.com/'
        'mmsegmentation/v0.5/ddrnet/ddrnet_23_in1k-pre_2xb6-120k_cityscapes-1024x1024/'
        'ddrnet_23_in1k-pre_2xb6-120k_cityscapes-1024x1024_20230425_162633-81601db0.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
