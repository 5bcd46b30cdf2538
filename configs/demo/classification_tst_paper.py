"""The same student, with TST as in the paper, but with short stages and half of a batch.

With the paper's own stages and twice the images it would take much longer than the other demos.
"""

_base_ = ['./classification_kd.py']

model = dict(
    augmenter=dict(type='tst_mm.PaperAugmenter', preset='paper'),
    objective=dict(type='tst_mm.FlippedObjective', preset='paper'),
    batch_mode='split',
)
custom_hooks = [
    dict(
        type='tst_mm.AlternatingScheduleHook',
        stages=dict(first=15, every=30, iters=16),
        dataloader=dict(batch_size=16),
        search=dict(
            type='tst_mm.GradientSearch',
            optim_wrapper=dict(
                # 80 steps in place of the thousands that the paper's 0.01 is for ...
                optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0),
                # ... in which one steep gradient of a half-open gate must not decide on a rate.
                clip_grad=dict(max_norm=1),
            ),
        ),
    )
]
