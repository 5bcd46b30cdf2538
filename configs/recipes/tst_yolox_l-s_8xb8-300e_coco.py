"""YOLOX-l teaches YOLOX-s, in its library's own schedule."""

_base_ = ['mmdet::yolox/yolox_s_8xb8-300e_coco.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.DetectionDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmdet::yolox/yolox_l_8xb8-300e_coco.py',
        checkpoint='https://download.openmmlab.com/'
        'mmdetection/v2.0/yolox/yolox_l_8x8_300e_coco/'
        'yolox_l_8x8_300e_coco_20211126_140236-d3bd2b23.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
