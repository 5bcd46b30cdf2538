"""ConvNeXt-B teaches ResNet-50, in its library's own schedule."""

_base_ = ['mmpretrain::resnet/resnet50_8xb32_in1k.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmpretrain::convnext/convnext-base_32xb128_in1k.py',
        checkpoint='https://download.openmmlab.com/'
        'mmclassification/v0/convnext/'
        'convnext-base_in21k-pre-3rdparty_32xb128_in1k_20220124-eb2d6ada.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
