"""DINO R50 teaches DINO R18, in its library's own schedule."""

_base_ = ['mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.DetectionDistiller',
    student=dict(
        cfg_path='mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py',
        backbone=dict(
            depth=18, init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')
        ),
        neck=dict(in_channels=[128, 256, 512]),
    ),
    teacher=dict(
        cfg_path='mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py',
        checkpoint='https://download.openmmlab.com/'
        'mmdetection/v3.0/dino/dino-4scale_r50_8xb2-12e_coco/'
        'dino-4scale_r50_8xb2-12e_coco_20221202_182705-55b2bba2.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
