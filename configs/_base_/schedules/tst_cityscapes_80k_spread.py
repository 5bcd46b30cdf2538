"""Augmenter stages for 80k iterations of Cityscapes, short and spread over all of them."""

# 19 stages, 1,900 steps: 2.4 % of training. The first one already meets a trained student.
custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        by_epoch=False,
        stages=dict(first=4000, every=4000, iters=100),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0),
            clip_grad=dict(max_norm=20),
        ),
    )
]
