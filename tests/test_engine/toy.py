"""Tiny but real runs: 32 Fashion-MNIST images, a student and a teacher of a few channels."""

from copy import deepcopy

from mmengine.config import Config

import tst_mm  # noqa: F401

STUDENT = {
    'type': 'mmpretrain.ImageClassifier',
    'data_preprocessor': {'num_classes': 10, 'mean': [72.9], 'std': [90.0]},
    'backbone': {
        'type': 'mmpretrain.ResNet_CIFAR',
        'depth': 18,
        'in_channels': 1,
        'stem_channels': 4,
        'base_channels': 4,
        'num_stages': 1,
        'strides': (2,),
        'dilations': (1,),
        'out_indices': (0,),
    },
    'neck': {'type': 'mmpretrain.GlobalAveragePooling'},
    'head': {'type': 'mmpretrain.LinearClsHead', 'num_classes': 10, 'in_channels': 4},
}

PIPELINE = [
    # Draws from numpy's generator, so that tests see whether the draws are the same.
    {'type': 'mmpretrain.RandomFlip', 'prob': 0.5},
    {'type': 'mmpretrain.PackInputs'},
]


def toy_config(work_dir, hook, loop='epoch', length=3, **changes) -> Config:
    """A run of ``length`` epochs (4 iterations each) or iterations."""
    loader = {
        'batch_size': 8,
        'num_workers': 0,
        'collate_fn': {'type': 'default_collate'},
        'sampler': {'type': 'DefaultSampler' if loop == 'epoch' else 'InfiniteSampler'},
        'dataset': {
            'type': 'tst_mm.EmbeddedFashionMNIST',
            'split': 'train',
            'indices': 32,
            'pipeline': PIPELINE,
        },
    }
    by_epoch = loop == 'epoch'
    config = {
        'default_scope': 'mmpretrain',
        'work_dir': str(work_dir),
        'model': {
            'type': 'tst_mm.ClassificationDistiller',
            'student': deepcopy(STUDENT),
            'teacher': {'model': deepcopy(STUDENT), 'checkpoint': 'random'},
            'augmenter': {'type': 'tst_mm.LearnedAugmenter'},
            'batch_mode': 'split',
        },
        'train_dataloader': loader,
        'train_cfg': {'by_epoch': by_epoch, 'max_epochs' if by_epoch else 'max_iters': length},
        'optim_wrapper': {
            'optimizer': {'type': 'SGD', 'lr': 0.05, 'momentum': 0.9, 'weight_decay': 1e-4}
        },
        'default_hooks': {
            'checkpoint': {'type': 'CheckpointHook', 'interval': 1, 'by_epoch': by_epoch},
            'logger': {'type': 'LoggerHook', 'interval': 2},
            'student': {'type': 'tst_mm.StudentCheckpointHook'},
        },
        'custom_hooks': [{'type': 'tst_mm.AlternatingScheduleHook', **hook}],
        'randomness': {'seed': 3},
        'log_level': 'WARNING',
    }
    if not by_epoch:
        config['train_cfg'] |= {'val_interval': 10**6}
    config.update(changes)
    return Config(config)
