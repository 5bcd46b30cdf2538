"""A PSPNet for scenes of 80 x 160 pixels and one CPU core: the student of the demo."""

_base_ = ['mmseg::_base_/models/pspnet_r50-d8.py']

norm_cfg = dict(type='BN', requires_grad=True)
# The ground is four fifths of all pixels; with equal weights a short training finds little else.
loss_decode = dict(class_weight=[0.25, 1.0, 1.0, 1.0, 1.0, 1.0])
model = dict(
    data_preprocessor=dict(size=(80, 160)),
    pretrained=None,
    # Without the fourth stage, which at this stride would take most of the time.
    backbone=dict(
        depth=18,
        stem_channels=16,
        base_channels=16,
        num_stages=3,
        strides=(1, 2, 1),
        dilations=(1, 1, 2),
        out_indices=(0, 1, 2),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(
        in_channels=64,
        in_index=2,
        channels=32,
        num_classes=6,
        norm_cfg=norm_cfg,
        loss_decode=loss_decode,
    ),
    auxiliary_head=dict(
        in_channels=32,
        in_index=1,
        channels=16,
        num_classes=6,
        norm_cfg=norm_cfg,
        loss_decode=loss_decode,
    ),
)
del loss_decode
