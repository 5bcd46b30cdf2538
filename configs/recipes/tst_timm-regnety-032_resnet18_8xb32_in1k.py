"""RegNetY-3.2GF of timm teaches ResNet-18 of mmpretrain, in that library's own schedule."""

_base_ = ['mmpretrain::resnet/resnet18_8xb32_in1k.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.ClassificationDistiller',
    student={{_base_.model}},
    teacher=dict(
        model=dict(type='mmpretrain.TimmClassifier', model_name='regnety_032'),
        checkpoint='https://github.com/huggingface/pytorch-image-models/releases/download/'
        'v0.1-weights/regnety_032_ra-7f2439f9.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
