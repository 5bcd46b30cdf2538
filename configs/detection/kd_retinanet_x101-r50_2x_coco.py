"""RetinaNet X101 teaches RetinaNet R50 (paper): KD of class logits."""

_base_ = ['mmdet::retinanet/retinanet_r50_fpn_2x_coco.py']

custom_imports = dict(imports=['tst_mm'])
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.DetectionDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmdet::retinanet/retinanet_x101-64x4d_fpn_2x_coco.py',
        checkpoint='https://download.openmmlab.com/'
        'mmdetection/v2.0/retinanet/retinanet_x101_64x4d_fpn_2x_coco/'
        'retinanet_x101_64x4d_fpn_2x_coco_20200131-bca068ab.pth',
    ),
    mimic=False,
)
