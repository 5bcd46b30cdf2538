"""The student of the PSPNet demo, trained without a teacher on 40 scenes."""

_base_ = [
    '../_base_/datasets/composed_cityscapes.py',
    '../_base_/models/demo_pspnet.py',
    '../_base_/schedules/demo_pspnet.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmseg'
train_dataloader = dict(batch_size=4, dataset=dict(indices=40))
