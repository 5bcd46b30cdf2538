"""150 epochs of ten steps, one cosine: the same for every student of the demo."""

optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
)
param_scheduler = dict(type='CosineAnnealingLR', T_max=150, convert_to_iter_based=True)

train_cfg = dict(by_epoch=True, max_epochs=150, val_interval=50)
val_cfg = dict()
test_cfg = dict()

default_hooks = dict(
    checkpoint=dict(type='CheckpointHook', interval=50, max_keep_ckpts=1),
    student=dict(type='tst_mm.StudentCheckpointHook'),
)
