"""The paper's augmenter stages for 80k iterations of Cityscapes: three, one epoch each."""

# In epochs of the loader, 186 iterations at 16 images: all lie in the first 3 % of training.
custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        by_epoch=True,
        stages=[dict(begin=0, length=1), dict(begin=6, length=1), dict(begin=12, length=1)],
        search=dict(
            type='tst_mm.GradientSearch',
            optim_wrapper=dict(
                optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0),
                clip_grad=dict(max_norm=20),
            ),
        ),
    )
]
