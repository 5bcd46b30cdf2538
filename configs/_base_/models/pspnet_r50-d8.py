"""PSPNet over a ResNet-50, as in mmseg.

Written out because MMEngine does not find ``mmseg::`` addresses of the maintained fork until tst_mm
is imported, which is after mmseg's own tools have read the bases of a config.
"""

norm_cfg = dict(type='SyncBN', requires_grad=True)
head = dict(
    num_classes=19,
    dropout_ratio=0.1,
    norm_cfg=norm_cfg,
    align_corners=False,
)
model = dict(
    type='mmseg.EncoderDecoder',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    pretrained='open-mmlab://resnet50_v1c',
    backbone=dict(
        type='mmseg.ResNetV1c',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1),
        norm_cfg=norm_cfg,
        norm_eval=False,
        style='pytorch',
        contract_dilation=True,
    ),
    decode_head=dict(
        type='mmseg.PSPHead',
        in_channels=2048,
        in_index=3,
        channels=512,
        pool_scales=(1, 2, 3, 6),
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
        **head,
    ),
    auxiliary_head=dict(
        type='mmseg.FCNHead',
        in_channels=1024,
        in_index=2,
        channels=256,
        num_convs=1,
        concat_input=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4),
        **head,
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
del head
