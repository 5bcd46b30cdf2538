"""Augmenter stages for 24 epochs of COCO, short and spread over the whole training."""

# 11 stages, 5,500 steps (the paper: 14,660 at 16 images a step): the student that the augmenter
# learns to teach is never more than two epochs old.
custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        by_epoch=True,
        stages=dict(first=2, every=2, iters=500),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0),
            clip_grad=dict(max_norm=20),
        ),
    )
]
