"""Configs of whole trainings: the networks of the step cases, JPEG files, one search stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hub import get_config

from tst_mm.engine.schedule.stages import DRAW_COST

from .networks import cases
from .pictures import write_boxes, write_classes, write_maps
from .steps import DRAWS

#: What both wrappers distil: the classes' logits.
_LOGITS: dict[str, Any] = {
    'type': 'ConfigurableDistiller',
    'student_recorders': {'fc': {'type': 'ModuleOutputs', 'source': 'head.fc'}},
    'teacher_recorders': {'fc': {'type': 'ModuleOutputs', 'source': 'head.fc'}},
    'distill_losses': {'loss_kl': {'type': 'KLDivergence', 'tau': 4, 'loss_weight': 1}},
    'loss_forward_mappings': {
        'loss_kl': {
            'preds_S': {'from_student': True, 'recorder': 'fc'},
            'preds_T': {'from_student': False, 'recorder': 'fc'},
        }
    },
}

_HOOKS = {
    'channels_last': {'type': 'tst_mm.ChannelsLastHook'},
    'ema': {'type': 'EMAHook', 'ema_type': 'ExponentialMovingAverage'},
}


def write_config(
    path: Path,
    data: Path,
    name: str,
    method: str,
    batch: int,
    steps: int,
    workers: int,
    device: str,
) -> float:
    """Write the config of a training, and the data that it reads unless they are there.

    Args:
        path: The file.
        data: The folder of the data.
        name: The case, ``'small'``, ``'large'``, ``'retinanet'`` or ``'pspnet'``.
        method: ``'mmrazor'``, ``'kd'``, ``'tst'``, or an option with which TST trains.
        batch: The number of images of a batch.
        steps: The number of iterations.
        workers: The number of workers of the loader.
        device: Where to train, ``'cpu'`` or ``'cuda'``.

    Returns:
        The part of the cost, counted as schedules count it, that the search stage takes; 0 where
        there is none.
    """
    networks, loader, scope = _CASES[name](data)
    networks['data_preprocessor'].pop('batch_augments', None)
    model = _razor(networks) if method == 'mmrazor' else _ours(networks, method)
    hooks: list[dict[str, Any]] = [{'type': 'tst_mm.RunClock', 'processor': device == 'cpu'}]
    share = 0.0
    if method not in ('mmrazor', 'kd'):
        stage = {'begin': steps // 2, 'iters': 1}
        hooks.append(
            {
                'type': 'tst_mm.AlternatingScheduleHook',
                'stages': [stage],
                'dataloader': {'batch_size': batch // 2},
            }
        )
        share = DRAW_COST * DRAWS * (batch // 2) / (steps * batch)
    loader |= {
        'batch_size': batch,
        'num_workers': workers,
        'persistent_workers': workers > 0,
        'sampler': {'type': 'InfiniteSampler', 'shuffle': True},
    }
    content = {
        'default_scope': scope,
        'custom_imports': {'imports': ['tst_mm', 'benchmarks.cost.clock', 'mmrazor.models']},
        'model': model,
        'train_dataloader': loader,
        'train_cfg': {'type': 'IterBasedTrainLoop', 'max_iters': steps, 'val_interval': 10**6},
        'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 1e-4, 'momentum': 0.9}},
        'default_hooks': {
            'logger': {'type': 'LoggerHook', 'interval': 10},
            'checkpoint': {'type': 'CheckpointHook', 'by_epoch': False, 'interval': steps},
        },
        'custom_hooks': hooks,
        'randomness': {'seed': 0},
    }
    if method in ('bfloat16', 'float16'):
        content['optim_wrapper'] |= {'type': 'AmpOptimWrapper', 'dtype': method}
    elif method == 'accumulation':
        content['optim_wrapper']['accumulative_counts'] = 4
    elif method == 'compile':
        content['compile'] = True
    elif method in _HOOKS:
        hooks.append(_HOOKS[method])
    path.write_text(''.join(f'{key} = {value!r}\n' for key, value in _plain(content).items()))
    return share


def _ours(networks: dict[str, Any], method: str) -> dict[str, Any]:
    model = {
        'type': networks['distiller'],
        'student': networks['student'],
        'teacher': {'model': networks['teacher'], 'checkpoint': 'random'},
    }
    if networks['distiller'] == 'tst_mm.ClassificationDistiller':
        model['distiller'] = _LOGITS
    if method != 'kd':
        model |= {'augmenter': {'type': 'tst_mm.LearnedAugmenter'}, 'batch_mode': 0.5}
    return model


def _razor(networks: dict[str, Any]) -> dict[str, Any]:
    return {
        'type': 'SingleTeacherDistill',
        '_scope_': 'mmrazor',
        'data_preprocessor': {**networks['data_preprocessor'], '_scope_': 'mmpretrain'},
        'architecture': networks['student'],
        'teacher': networks['teacher'],
        'distiller': _LOGITS,
    }


def _classifier(data: Path, side: int, networks: dict[str, Any]) -> tuple:
    if not data.exists():
        write_classes(data, side)
    pipeline = [{'type': 'LoadImageFromFile'}]
    if side > 64:
        pipeline.append({'type': 'RandomResizedCrop', 'scale': 224})
    else:
        pipeline.append({'type': 'RandomCrop', 'crop_size': side, 'padding': 4})
    pipeline += [{'type': 'RandomFlip', 'prob': 0.5}, {'type': 'PackInputs'}]
    dataset = {'type': 'CustomDataset', 'data_root': str(data), 'pipeline': pipeline}
    return networks, {'dataset': dataset, 'collate_fn': {'type': 'default_collate'}}, 'mmpretrain'


def _small(data: Path) -> tuple:
    return _classifier(data, 32, _of_case('classification'))


def _large(data: Path) -> tuple:
    def network(depth: int) -> dict[str, Any]:
        config = get_config(f'mmpretrain::resnet/resnet{depth}_8xb32_in1k.py')
        model = {**config.model, 'data_preprocessor': _preprocessor(config)}
        model['backbone'].update(base_channels=32)
        model['head'].update(in_channels=256)
        return {**model, '_scope_': 'mmpretrain'}

    student = network(18)
    networks = {
        'distiller': 'tst_mm.ClassificationDistiller',
        'student': student,
        'teacher': network(34),
        'data_preprocessor': student['data_preprocessor'],
    }
    return _classifier(data, 256, networks)


def _preprocessor(config: Config) -> dict[str, Any]:
    return {'type': 'ClsDataPreprocessor', **config.data_preprocessor}


def _retinanet(data: Path) -> tuple:
    if not data.exists():
        write_boxes(data, 320, 256)
    dataset = {
        'type': 'CocoDataset',
        'data_root': str(data),
        'ann_file': 'boxes.json',
        'data_prefix': {'img': 'images/'},
        'metainfo': {'classes': [f'class{i}' for i in range(80)]},
        'pipeline': [
            {'type': 'LoadImageFromFile'},
            {'type': 'LoadAnnotations', 'with_bbox': True},
            {'type': 'RandomFlip', 'prob': 0.5},
            {'type': 'PackDetInputs'},
        ],
    }
    return _of_case('retinanet'), {'dataset': dataset}, 'mmdet'


def _pspnet(data: Path) -> tuple:
    if not data.exists():
        write_maps(data, 384, 192)
    dataset = {
        'type': 'BaseSegDataset',
        'data_root': str(data),
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'maps'},
        'metainfo': {'classes': [f'class{i}' for i in range(19)]},
        'pipeline': [
            {'type': 'LoadImageFromFile'},
            {'type': 'LoadAnnotations'},
            {'type': 'RandomCrop', 'crop_size': (96, 192)},
            {'type': 'RandomFlip', 'prob': 0.5},
            {'type': 'PackSegInputs'},
        ],
    }
    return _of_case('pspnet'), {'dataset': dataset}, 'mmseg'


def _of_case(name: str) -> dict[str, Any]:
    case = cases(torch.device('cpu'))[name]
    return {
        'distiller': f'tst_mm.{case.distiller}',
        'student': case.student,
        'teacher': case.teacher,
        'data_preprocessor': case.student['data_preprocessor'],
    }


def _plain(value: Any) -> Any:
    """Config dictionaries as plain ones."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value


_CASES = {'small': _small, 'large': _large, 'retinanet': _retinanet, 'pspnet': _pspnet}
