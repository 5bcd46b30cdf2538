"""A RetinaNet for scenes of 96 pixels and one CPU core: the student of the demo."""

_base_ = ['mmdet::_base_/models/retinanet_r50_fpn.py']

# What starts from nothing learns twice as well with normalisation behind the backbone too.
norm_cfg = dict(type='GN', num_groups=8)
model = dict(
    backbone=dict(depth=18, base_channels=16, frozen_stages=-1, norm_eval=False, init_cfg=None),
    neck=dict(in_channels=[16, 32, 64, 128], out_channels=32, num_outs=3, norm_cfg=norm_cfg),
    bbox_head=dict(
        in_channels=32,
        feat_channels=32,
        stacked_convs=2,
        norm_cfg=norm_cfg,
        num_classes=5,
        anchor_generator=dict(octave_base_scale=3, strides=[8, 16, 32]),
    ),
)
