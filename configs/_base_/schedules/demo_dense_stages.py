"""Augmenter stages of the dense demos: short ones, spread over the student's training."""

custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        by_epoch=False,
        stages=dict(first=100, every=100, iters=40),
        optim_wrapper=dict(
            # 160 steps in place of the thousands that the paper's 0.01 is for ...
            optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0),
            # ... in which one steep gradient of a half-open gate must not decide on a rate.
            clip_grad=dict(max_norm=1),
        ),
    )
]
