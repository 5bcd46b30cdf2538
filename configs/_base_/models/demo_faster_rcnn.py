"""A Faster R-CNN for scenes of 96 pixels and one CPU core: the student of the demo."""

_base_ = ['mmdet::_base_/models/faster-rcnn_r50_fpn.py']

strides = [8, 16, 32]
model = dict(
    backbone=dict(depth=18, base_channels=16, frozen_stages=-1, norm_eval=False, init_cfg=None),
    neck=dict(in_channels=[16, 32, 64, 128], out_channels=32, start_level=1, num_outs=3),
    rpn_head=dict(
        in_channels=32,
        feat_channels=32,
        anchor_generator=dict(scales=[3], strides=strides),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=32, featmap_strides=strides, finest_scale=28),
        bbox_head=dict(in_channels=32, fc_out_channels=128, num_classes=5),
    ),
    # Few regions: the box head, not the image, is what a Faster R-CNN spends its time on.
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=200, max_per_img=100),
        rcnn=dict(sampler=dict(num=64)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=200, max_per_img=100)),
)
del strides
