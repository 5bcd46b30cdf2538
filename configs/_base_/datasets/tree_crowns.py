"""Trees in aerial photographs: ``python tools/data/tree_crowns.py`` first."""

_base_ = ['./composed_coco.py']

data_root = 'data/tree_crowns/'
metainfo = dict(classes=('tree',), palette=[(60, 200, 60)])

scale = (200, 200)  # width, height: the tiles as they are

train_pipeline = _base_.train_pipeline
test_pipeline = _base_.test_pipeline
train_pipeline[2].scale = scale
test_pipeline[1].scale = scale

dataset = dict(data_root=data_root, metainfo=metainfo)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **dataset))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, **dataset))
test_dataloader = val_dataloader
del dataset

val_evaluator = dict(ann_file=data_root + 'annotations/instances_val.json')
test_evaluator = val_evaluator
