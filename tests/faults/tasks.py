"""Small real trainings of the three tasks, with everything on that a resume has to restore."""

from copy import deepcopy
from pathlib import Path

from mmengine.config import Config
from test_configs.cut import SIZE, cut_config
from test_configs.tiny_data import write_cityscapes, write_coco
from test_engine.toy import toy_config

from .harness import ROOT


def write_data(folder: Path) -> None:
    """Write what the configs read."""
    write_coco(folder / 'coco', count=6)
    write_cityscapes(folder / 'cityscapes', count=6)


def classification(folder: Path, loop: str = 'epoch', workers: int = 0) -> Config:
    """Three epochs (or seven iterations), two stages, EMA, a learning rate that falls."""
    by_epoch = loop == 'epoch'
    begins = (1, 2) if by_epoch else (3, 5)
    stages = [dict(begin=begins[0], iters=5), dict(begin=begins[1], iters=3)]
    hook = dict(stages=stages, interval=2, checkpoint_interval=2)
    cfg = toy_config('', hook, loop=loop, length=3 if by_epoch else 7)
    _load_in_workers(cfg.train_dataloader, workers)
    cfg.train_cfg.val_interval = 1 if by_epoch else 3
    cfg.val_dataloader = deepcopy(cfg.train_dataloader)
    cfg.val_dataloader.sampler = dict(type='DefaultSampler', shuffle=False)
    cfg.val_dataloader.dataset.update(
        split='test', indices=24, pipeline=[dict(type='mmpretrain.PackInputs')]
    )
    cfg.val_cfg, cfg.val_evaluator = {}, dict(type='mmpretrain.Accuracy')
    cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.1))
    cfg.param_scheduler = [dict(type='LinearLR', by_epoch=False, begin=0, end=12)]
    cfg.default_hooks.checkpoint.update(max_keep_ckpts=2, save_best='auto')
    cfg.default_hooks.logger.update(interval=1, log_metric_by_epoch=by_epoch)
    return cfg


def detection(folder: Path, model: str, workers: int = 0) -> Config:
    """Three epochs of three pairs of images, two stages, mimic connectors, CocoMetric."""
    cfg = Config.fromfile(ROOT / f'configs/detection/tst-mimic_{model}_2x_coco.py')
    root = f'{folder}/coco/'
    cfg = cut_config(cfg, root, '')
    labels = 'annotations/instances_train2017.json'
    cfg.val_dataloader = dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='CocoDataset',
            data_root=root,
            ann_file=labels,
            data_prefix=dict(img='train2017/'),
            metainfo=dict(classes=('person', 'bicycle', 'car')),
            test_mode=True,
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=SIZE[::-1], keep_ratio=True),
                dict(
                    type='PackDetInputs',
                    meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
                ),
            ],
        ),
    )
    cfg.val_cfg = dict(type='ValLoop')
    cfg.val_evaluator = dict(type='CocoMetric', ann_file=f'{root}{labels}', metric='bbox')
    test_cfg = cfg.model.student.test_cfg
    test_cfg.get('rcnn', test_cfg).score_thr = 0.0  # so that there is something to evaluate
    loader = cfg.train_dataloader
    loader.batch_size = 2
    loader.dataset.metainfo = cfg.val_dataloader.dataset.metainfo
    for network in (cfg.model.student, cfg.model.teacher.model):
        network.get('roi_head', network).bbox_head.num_classes = 3
    _load_in_workers(loader, workers)
    cfg.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3, val_interval=1)
    cfg.custom_hooks[0].update(
        stages=[dict(begin=1, iters=4), dict(begin=2, iters=3)],
        interval=2,
        checkpoint_interval=2,
    )
    cfg.default_hooks.checkpoint.update(max_keep_ckpts=1, save_best='auto')
    cfg.default_hooks.logger.interval = 1
    return cfg


def segmentation(folder: Path, workers: int = 0) -> Config:
    """Eight iterations of an endless sampler, two stages, IoUMetric."""
    cfg = Config.fromfile(
        ROOT / 'configs/segmentation/tst_pspnet_r101-r18_8xb2-80k_cityscapes-512x1024.py'
    )
    root = f'{folder}/cityscapes/'
    cfg = cut_config(cfg, root, '')
    cfg.train_dataloader.batch_size = 2
    cfg.val_dataloader = dict(
        batch_size=1,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='CityscapesDataset',
            data_root=root,
            data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='Resize', scale=SIZE[::-1], keep_ratio=True),
                dict(type='LoadAnnotations'),
                dict(type='PackSegInputs'),
            ],
        ),
    )
    cfg.val_cfg = dict(type='ValLoop')
    cfg.val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
    _load_in_workers(cfg.train_dataloader, workers)
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=8, val_interval=4)
    cfg.custom_hooks[0].update(
        by_epoch=False,
        stages=[dict(begin=2, length=4), dict(begin=5, length=3)],
        interval=2,
        checkpoint_interval=2,
    )
    cfg.default_hooks.checkpoint.update(
        by_epoch=False, interval=2, max_keep_ckpts=2, save_best='mIoU'
    )
    cfg.default_hooks.logger.interval = 1
    return cfg


def _load_in_workers(loader: dict, count: int) -> None:
    loader.update(num_workers=count, persistent_workers=count > 0)


TASKS = {
    'classification': classification,
    'classification_workers': lambda folder: classification(folder, workers=2),
    'classification_iter': lambda folder: classification(folder, loop='iter'),
    'retinanet': lambda folder: detection(folder, 'retinanet_r101-r18'),
    'faster_rcnn': lambda folder: detection(folder, 'faster-rcnn_r50-r18', workers=2),
    'segmentation': segmentation,
    'segmentation_workers': lambda folder: segmentation(folder, workers=2),
}
