"""Blood cells: ``python tools/data/voc_to_coco.py --source BCCD_FOLDER --out data/bccd`` first."""

_base_ = ['./composed_coco.py']

data_root = 'data/bccd/'
metainfo = dict(
    classes=('Platelets', 'RBC', 'WBC'),
    palette=[(240, 200, 50), (230, 60, 60), (70, 110, 240)],
)

scale = (320, 240)  # width, height: half of the photographs' size

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
