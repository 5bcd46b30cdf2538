"""500 steps, one cosine: the same for every student of the dense demos."""

# With SGD such small detectors, which start from nothing, collapse to the background.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05), clip_grad=dict(max_norm=10)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, T_max=450, by_epoch=False),
]

train_cfg = dict(type='IterBasedTrainLoop', max_iters=500, val_interval=250)
val_cfg = dict()
test_cfg = dict()

default_hooks = dict(
    logger=dict(type='LoggerHook', interval=20),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=250, max_keep_ckpts=1),
    student=dict(type='tst_mm.StudentCheckpointHook'),
)
log_processor = dict(by_epoch=False)
