"""The student of the RetinaNet demo, trained without a teacher on 40 scenes."""

_base_ = [
    '../_base_/datasets/composed_coco.py',
    '../_base_/models/demo_retinanet.py',
    '../_base_/schedules/demo_dense.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmdet'
train_dataloader = dict(
    batch_size=4,
    sampler=dict(type='InfiniteSampler'),
    batch_sampler=None,
    dataset=dict(indices=40),
)
