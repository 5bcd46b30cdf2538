"""RTMDet-l teaches RTMDet-s, in its library's own schedule."""

_base_ = ['mmdet::rtmdet/rtmdet_s_8xb32-300e_coco.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.DetectionDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmdet::rtmdet/rtmdet_l_8xb32-300e_coco.py',
        checkpoint='https://download.openmmlab.com/'
        'mmdetection/v3.0/rtmdet/rtmdet_l_8xb32-300e_coco/'
        'rtmdet_l_8xb32-300e_coco_20220719_112030-5a0be7c4.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
