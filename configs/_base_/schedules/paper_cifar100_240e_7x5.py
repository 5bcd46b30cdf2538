"""The paper's augmenter stages for two pairs of CIFAR-100: seven, of 5 epochs each."""

custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        stages=dict(first=32, every=30, length=5),
        search=dict(type='tst_mm.GradientSearch'),
    )
]
