"""Land cover seen from space: ``python tools/data/land_cover.py`` first."""

_base_ = ['./composed_cityscapes.py']

data_root = 'data/land_cover_fold0/'
metainfo = dict(
    classes=('water', 'forest', 'shrub', 'savanna', 'grass', 'crop', 'snow', 'barren'),
    palette=[
        [30, 60, 160],
        [20, 100, 30],
        [150, 130, 60],
        [170, 190, 80],
        [120, 220, 90],
        [230, 180, 60],
        [240, 240, 250],
        [190, 160, 130],
    ],
)
crop_size = (128, 128)

dataset = dict(data_root=data_root, metainfo=metainfo, img_suffix='.png', seg_map_suffix='.png')
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(img_path='img_dir/train', seg_map_path='ann_dir/train'), **dataset
    )
)
val_dataloader = dict(
    dataset=dict(data_prefix=dict(img_path='img_dir/val', seg_map_path='ann_dir/val'), **dataset)
)
test_dataloader = val_dataloader
del dataset
