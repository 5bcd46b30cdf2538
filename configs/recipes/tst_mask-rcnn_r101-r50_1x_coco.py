"""Mask R-CNN R101 teaches Mask R-CNN R50, in its library's own schedule."""

_base_ = ['mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.DetectionDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmdet::mask_rcnn/mask-rcnn_r101_fpn_1x_coco.py',
        checkpoint='https://download.openmmlab.com/'
        'mmdetection/v2.0/mask_rcnn/mask_rcnn_r101_fpn_1x_coco/'
        'mask_rcnn_r101_fpn_1x_coco_20200204-1efe0ed5.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
