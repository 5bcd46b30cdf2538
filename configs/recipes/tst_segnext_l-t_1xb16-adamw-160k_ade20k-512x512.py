"""SegNeXt-L teaches SegNeXt-T, in its library's own schedule."""

_base_ = ['mmseg::segnext/segnext_mscan-t_1xb16-adamw-160k_ade20k-512x512.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.SegmentationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmseg::segnext/segnext_mscan-l_1xb16-adamw-160k_ade20k-512x512.py',
        checkpoint='https://download.openmmlab.com/'
        'mmsegmentation/v0.5/segnext/segnext_mscan-l_1x16_512x512_adamw_160k_ade20k/'
        'segnext_mscan-l_1x16_512x512_adamw_160k_ade20k_20230209_172055-19b14b63.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
