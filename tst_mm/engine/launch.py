"""From the command line to a runner: what ``tools/train.py`` and ``tools/test.py`` share."""

import errno
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.device import get_device
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from tst_mm.registry import HOOKS
from tst_mm.utils.checkpoints import check_complete, latest_checkpoint
from tst_mm.utils.hooks import ensure_hook, find_hook

from .safety import (
    ExactResumeHook,
    NonFiniteHook,
    PreemptionHook,
    SharedBuffersHook,
    StudentCheckpointHook,
)
from .schedule import AlternatingScheduleHook

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
#: Hooks that every training has.
_HOOKS = (
    ExactResumeHook,
    NonFiniteHook,
    PreemptionHook,
    SharedBuffersHook,
    StudentCheckpointHook,
)
#: What the system says when a file cannot be written.
_CANNOT_WRITE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.ENOTDIR,
    errno.EIO,
}
#: The hook of runs with augmenter stages; it stands on a floor above this one.
_REPORT_HOOK = 'tst_mm.PolicyReportHook'


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


def resume_from(cfg: Config, checkpoint: str) -> None:
    """Let a run go on from a checkpoint, after a look whether it is complete.

    Args:
        cfg: Of the run; it is changed.
        checkpoint: Path or address; ``'auto'`` for the latest in the work folder, where a run
            without one starts anew.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The checkpoint is cut short; the error names the one before it.
    """
    cfg.resume = True
    if checkpoint == 'auto':
        latest = latest_checkpoint(cfg.work_dir)
        cfg.load_from = None if latest is None else str(latest)
    elif '://' in checkpoint:
        cfg.load_from = checkpoint
    else:
        cfg.load_from = str(check_complete(check_file(checkpoint)))


def use_amp(cfg: Config) -> None:
    """Train in automatic mixed precision.

    Args:
        cfg: Of the run; it is changed.

    Raises:
        ValueError: There is no accelerator, which MMEngine's mixed precision needs.
    """
    if get_device() == 'cpu':
        raise ValueError('--amp needs a GPU, and there is none; allowed here: training without')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def build_runner(cfg: Config, training: bool = False) -> Runner:
    """Build the runner.

    Args:
        cfg: Of the run; it is changed.
        training: Give it the hooks that make a training safe, where the config has none of the
            class or of a subclass: exact resume, SIGTERM, non-finite values, ranks that validate
            alike, complete checkpoints; and with augmenter stages the report.
    """
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    if training:
        for kind in _HOOKS:
            ensure_hook(runner, kind)
        if find_hook(runner, AlternatingScheduleHook) is not None:
            ensure_hook(runner, HOOKS.get(_REPORT_HOOK))
    return runner


def train(cfg: Config) -> None:
    """Train.

    Args:
        cfg: Of the run; it is changed.

    Raises:
        OSError: A file cannot be written; the error names the last good checkpoint.
    """
    try:
        build_runner(cfg, training=True).train()
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        try:
            path = Path(cfg.work_dir, 'last_checkpoint').read_text().strip()
            good = f'the last good checkpoint is {path}'
        except OSError:
            good = 'there is no checkpoint yet'
        raise OSError(error.errno, f'{error.strerror}; {good}', error.filename) from error


def set_loader_defaults(cfg: Config) -> None:
    """Complete the loaders as mmpretrain's own tools do; its configs count on it."""
    for name in _LOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader.setdefault('collate_fn', ConfigDict(type='default_collate'))
            loader.setdefault('pin_memory', torch.cuda.is_available())
            loader.setdefault('persistent_workers', loader.get('num_workers', 0) > 0)
