"""The teacher of the Faster R-CNN demo: wider, trained longer, and sees all 400 scenes."""

_base_ = [
    '../_base_/datasets/composed_coco.py',
    '../_base_/models/demo_faster_rcnn.py',
    '../_base_/schedules/demo_dense.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmdet'
model = dict(
    backbone=dict(base_channels=32),
    neck=dict(in_channels=[32, 64, 128, 256], out_channels=64),
    rpn_head=dict(in_channels=64, feat_channels=64),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=64),
        bbox_head=dict(in_channels=64, fc_out_channels=256),
    ),
)

param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, T_max=750, by_epoch=False),
]
train_cfg = dict(max_iters=800, val_interval=400)

# Strong augmentation, as good teachers are trained: mmdet's own operators.
train_dataloader = dict(
    batch_size=8,
    sampler=dict(type='InfiniteSampler'),
    batch_sampler=None,
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='RandomFlip', prob=0.5),
            dict(type='RandAugment', aug_num=1),
            dict(type='FilterAnnotations', min_gt_bbox_wh=(4, 4), keep_empty=False),
            dict(type='PackDetInputs'),
        ]
    ),
)
