"""From the command line to a runner: what ``tools/train.py`` and ``tools/test.py`` share."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_STUDENT_HOOK = 'tst_mm.StudentCheckpointHook'


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that all OpenMMLab tools have."""
    parser.add_argument('--work-dir', help='folder of logs and checkpoints')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='override entries of the config, as in: train_cfg.max_epochs=3 model.head.topk=(1,)',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    # torch.distributed.launch gives it; MMEngine reads the variable.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(args: Namespace) -> Config:
    """Read the config and put the arguments of :func:`add_arguments` into it.

    Raises:
        FileNotFoundError: There is no such config.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if not Path(args.config).is_file():
        raise FileNotFoundError(f'no config {args.config!r} (from {Path.cwd()})')
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    cfg.work_dir = (
        args.work_dir or cfg.get('work_dir') or str(Path('work_dirs', Path(args.config).stem))
    )
    if cfg.get('default_scope') == 'mmpretrain':
        set_loader_defaults(cfg)
    cfg.merge_from_dict(args.cfg_options)
    return cfg


def check_file(checkpoint: str) -> str:
    """Return the path of a checkpoint, or its address unread.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise FileNotFoundError(f'no checkpoint {checkpoint!r} (from {Path.cwd()})')
    return checkpoint


def build_runner(cfg: Config) -> Runner:
    """Build the runner; a model with a student gets its student files without asking."""
    hooks = [*cfg.get('default_hooks', {}).values(), *(cfg.get('custom_hooks') or [])]
    if 'student' in cfg.model and not any(hook and hook['type'] == _STUDENT_HOOK for hook in hooks):
        cfg.setdefault('default_hooks', ConfigDict())
        cfg.default_hooks.student_checkpoint = ConfigDict(type=_STUDENT_HOOK)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def set_loader_defaults(cfg: Config) -> None:
    """Complete the loaders as mmpretrain's own tools do; its configs count on it."""
    for name in _LOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader.setdefault('collate_fn', ConfigDict(type='default_collate'))
            loader.setdefault('pin_memory', torch.cuda.is_available())
            loader.setdefault('persistent_workers', loader.get('num_workers', 0) > 0)
