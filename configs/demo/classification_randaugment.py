"""The same student, with RandAugment as it is commonly used: two operators at 9 of 30, every image.

It costs what TST costs: as many student steps, on augmented images in place of clean ones.
"""

_base_ = ['./classification_tst.py']

model = dict(
    batch_mode=1.0,
    augmenter=dict(
        num_ops=2,
        operators=[
            'Brightness',
            'Color',
            'Contrast',
            'Sharpness',
            'Posterize',
            'Solarize',
            'ShearX',
            'ShearY',
            'TranslateX',
            'TranslateY',
            'Rotate',
            'Equalize',
        ],
        # 9 / 30 of each operator's range, at which it always acts.
        ranges=dict(
            Brightness=0.27,
            Color=0.27,
            Contrast=0.27,
            Sharpness=0.27,
            Posterize=6.8,
            Solarize=179.2,
            ShearX=0.09,
            ShearY=0.09,
            TranslateX=0.136,
            TranslateY=0.136,
            Rotate=9.0,
        ),
        init=dict(rate=1.0, magnitude=1.0),
    ),
)
custom_hooks = [dict(type='tst_mm.AlternatingScheduleHook', stages=[])]
