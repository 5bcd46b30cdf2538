"""The paper's augmenter stages for most pairs of CIFAR-100: two, of 30 epochs each."""

custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        stages=[dict(begin=30, length=30), dict(begin=90, length=30)],
        search=dict(type='tst_mm.GradientSearch'),
    )
]
