"""The paper's 100 epochs of ImageNet: 256 images a step, beside as many augmented ones in TST."""

optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.3, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[40, 70], gamma=0.1)

train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
val_cfg = dict()
test_cfg = dict()

default_hooks = dict(
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=1),
    logger=dict(type='LoggerHook', interval=100),
    student=dict(type='tst_mm.StudentCheckpointHook'),
)
auto_scale_lr = dict(base_batch_size=256)
