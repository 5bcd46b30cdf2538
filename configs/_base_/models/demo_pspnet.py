"""A PSPNet for scenes of 128 x 256 pixels and one CPU core: the student of the demo."""

_base_ = ['mmseg::_base_/models/pspnet_r50-d8.py']

norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    data_preprocessor=dict(size=(128, 256)),
    pretrained=None,
    backbone=dict(
        depth=18,
        stem_channels=16,
        base_channels=16,
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(in_channels=128, channels=32, num_classes=6, norm_cfg=norm_cfg),
    auxiliary_head=dict(in_channels=64, channels=16, num_classes=6, norm_cfg=norm_cfg),
)
