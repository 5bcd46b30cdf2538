"""Swin-B teaches MobileNetV3-L, in its library's own schedule."""

_base_ = ['mmpretrain::mobilenet_v3/mobilenet-v3-large_8xb128_in1k.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmpretrain::swin_transformer/swin-base_16xb64_in1k.py',
        checkpoint='https://download.openmmlab.com/'
        'mmclassification/v0/swin-transformer/convert/'
        'swin_base_patch4_window7_224_22kto1k-f967f799.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
