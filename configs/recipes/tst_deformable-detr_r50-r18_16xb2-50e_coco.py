"""Deformable DETR R50 teaches Deformable DETR R18, in its library's own schedule."""

_base_ = ['mmdet::deformable_detr/deformable-detr_r50_16xb2-50e_coco.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.DetectionDistiller',
    student=dict(
        cfg_path='mmdet::deformable_detr/deformable-detr_r50_16xb2-50e_coco.py',
        backbone=dict(
            depth=18, init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')
        ),
        neck=dict(in_channels=[128, 256, 512]),
    ),
    teacher=dict(
        cfg_path='mmdet::deformable_detr/deformable-detr_r50_16xb2-50e_coco.py',
        checkpoint='https://download.openmmlab.com/'
        'mmdetection/v3.0/deformable_detr/deformable-detr_r50_16xb2-50e_coco/'
        'deformable-detr_r50_16xb2-50e_coco_20221029_210934-6bc7d21b.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
