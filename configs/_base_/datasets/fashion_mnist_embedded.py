"""6,000 + 2,000 images of Fashion-MNIST: they come with tst_mm, nothing to prepare."""

data_preprocessor = dict(num_classes=10, mean=[73.0], std=[90.0])

pipeline = [dict(type='mmpretrain.PackInputs')]

# All images lie in memory: one process loads 30,000 of them a second.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    persistent_workers=False,  # mmpretrain's own tools would set it
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='tst_mm.EmbeddedFashionMNIST', split='train', pipeline=pipeline),
)
val_dataloader = dict(
    batch_size=250,
    num_workers=0,
    persistent_workers=False,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='tst_mm.EmbeddedFashionMNIST', split='test', pipeline=pipeline),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='mmpretrain.Accuracy', topk=(1,))
test_evaluator = val_evaluator
