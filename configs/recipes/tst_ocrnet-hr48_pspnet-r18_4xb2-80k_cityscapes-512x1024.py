"""OCRNet HR48 teaches PSPNet R18, in its library's own schedule."""

_base_ = ['mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py']

custom_imports = dict(imports=['tst_mm'])
custom_hooks = [*_base_.get('custom_hooks', []), dict(type='tst_mm.AlternatingScheduleHook')]
default_hooks = dict(student=dict(type='tst_mm.StudentCheckpointHook'))
model = dict(
    _delete_=True,
    type='tst_mm.SegmentationDistiller',
    student={{_base_.model}},
    teacher=dict(
        cfg_path='mmseg::ocrnet/ocrnet_hr48_4xb2-160k_cityscapes-512x1024.py',
        checkpoint='https://download.openmmlab.com/'
        'mmsegmentation/v0.5/ocrnet/ocrnet_hr48_512x1024_160k_cityscapes/'
        'ocrnet_hr48_512x1024_160k_cityscapes_20200602_191037-dfbf1b0c.pth',
    ),
    augmenter=dict(type='tst_mm.LearnedAugmenter'),
)
