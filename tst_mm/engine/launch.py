"""From the command line to a runner: what ``tools/train.py`` and ``tools/test.py`` share."""

import errno
import logging
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.device import get_device
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from tst_mm.models import BaseDistiller
from tst_mm.registry import HOOKS
from tst_mm.utils.hooks import ensure_hook, find_hook
from tst_mm.utils.unwrap import unwrap_model

from .data.empty_data import explain_empty_data
from .safety import (
    ExactResumeHook,
    FirstBatchHook,
    NonFiniteHook,
    PreemptionHook,
    SharedBuffersHook,
    StudentCheckpointHook,
)
from .safety.best_metric import explain_best_metric
from .safety.config_checks import check_config
from .safety.work_folder import decide_start
from .schedule import AdaptiveAmountHook, AlternatingScheduleHook

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
#: The hooks that every training has.
_HOOKS = (
    ExactResumeHook,
    NonFiniteHook,
    PreemptionHook,
    SharedBuffersHook,
    StudentCheckpointHook,
)
#: The error numbers by which the system says that a file cannot be written.
_CANNOT_WRITE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.ENOTDIR,
    errno.EIO,
}
#: The variables that a launcher sets, and how it is used, by the name of the launcher.
_LAUNCHERS = {
    'pytorch': (
        ('RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT'),
        'torchrun starts: tools/dist_train.sh CONFIG GPUS, or torchrun --nproc_per_node GPUS '
        'tools/train.py CONFIG --launcher pytorch',
    ),
    'slurm': (
        ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_NODELIST'),
        'srun starts: tools/slurm_train.sh PARTITION JOB CONFIG WORK_DIR, or srun ... python '
        'tools/train.py CONFIG --launcher slurm',
    ),
    'mpi': (
        ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'MASTER_ADDR'),
        'mpirun starts: mpirun -x MASTER_ADDR=... -np GPUS python tools/train.py CONFIG '
        '--launcher mpi',
    ),
}
#: The report hook of runs with augmenter stages; by name, as this room may not import it.
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
    # torch.distributed.launch gives this argument; MMEngine reads the variable LOCAL_RANK.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(args: Namespace) -> Config:
    """Read the config and put the arguments of :func:`add_arguments` into it.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: The process was not started as its launcher does, or by one that is not named.
    """
    _check_launcher(args.launcher)
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
    return _spare_the_file(cfg, Path(args.config))


def _spare_the_file(cfg: Config, path: Path) -> Config:
    """Rename a config that lies in its own work folder, where MMEngine writes what it has read."""
    if Path(cfg.work_dir).resolve() != path.resolve().parent:
        return cfg
    whole = str(path.with_name(f'{path.stem}_whole.py'))
    return Config(cfg.to_dict(), cfg_text=cfg.text, filename=whole)


def _check_launcher(launcher: str) -> None:
    """Refuse a launcher that has not started this process, and one that has but is not named."""
    variables, starts = _LAUNCHERS.get(launcher, ((), ''))
    missing = [name for name in variables if name not in os.environ]
    if missing:
        raise ValueError(
            f'--launcher {launcher} is for a process that {starts}; {", ".join(missing)} is not '
            'set here. To train in one process leave --launcher out'
        )
    if launcher == 'none' and 'TORCHELASTIC_RUN_ID' in os.environ:
        world = os.environ.get('WORLD_SIZE', '1')
        if world != '1':
            raise ValueError(
                f'torchrun has started {world} processes, but without --launcher pytorch each '
                'would train alone, into the same files; add --launcher pytorch'
            )


def check_file(checkpoint: str) -> str:
    """Return the path of a checkpoint, or its address unread.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise FileNotFoundError(f'no checkpoint {checkpoint!r} (from {Path.cwd()})')
    return checkpoint


def use_amp(cfg: Config) -> None:
    """Train in automatic mixed precision.

    Args:
        cfg: The config of the run; it is changed.

    Raises:
        ValueError: There is no accelerator, which MMEngine's mixed precision needs.
    """
    if get_device() == 'cpu':
        raise ValueError('--amp needs a GPU, and there is none; allowed here: training without')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def build_runner(cfg: Config, training: bool = False) -> Runner:
    """Build the runner of a config.

    Args:
        cfg: The config of the run; it is changed.
        training: Whether to add the hooks that make a training safe, where the config has none of
            the class or of a subclass: exact resume, SIGTERM, non-finite values, ranks that
            validate alike, complete checkpoints; for a distiller the checks of its first
            batch; and with augmenter stages the report. Defaults to False.
    """
    if training:
        check_config(cfg)
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    if training:
        for kind in _HOOKS:
            ensure_hook(runner, kind)
        if isinstance(unwrap_model(runner), BaseDistiller):
            ensure_hook(runner, FirstBatchHook)
        if find_hook(runner, AlternatingScheduleHook) is not None:
            ensure_hook(runner, HOOKS.get(_REPORT_HOOK))
        model = unwrap_model(runner)
        if getattr(model, 'batch_mode', None) == 'adaptive' and model.augmenter is not None:
            ensure_hook(runner, AdaptiveAmountHook)  # needed without augmenter stages too
        _refuse_stop_distill(runner)
    return runner


def _refuse_stop_distill(runner: Runner) -> None:
    """Refuse MMRazor's hook where it would end the run, in the middle, with an empty assertion."""
    names = {type(hook).__name__ for hook in runner.hooks}
    if 'StopDistillHook' in names and not hasattr(unwrap_model(runner), 'distillation_stopped'):
        raise ValueError(
            f'StopDistillHook has no effect on {type(unwrap_model(runner)).__name__}; remove it. '
            'To train the last epochs without the teacher start a plain training of the student '
            "from its file: init_cfg=dict(type='Pretrained', checkpoint='.../student_epoch_N.pth')"
        )


def train(cfg: Config, resume: str | None = None) -> Runner:
    """Train the model of a config.

    Args:
        cfg: The config of the run; it is changed.
        resume: The checkpoint to go on from; see
            :func:`tst_mm.engine.safety.work_folder.decide_start`. Defaults to None.

    Returns:
        The runner after the training.

    Raises:
        FileNotFoundError: There is no checkpoint to go on from.
        OSError: A file cannot be written; the error names the last good checkpoint.
        ValueError: The run cannot start in its work folder, or its data set is empty.
    """
    asked = bool(resume or cfg.get('resume'))
    start = decide_start(cfg, resume)
    try:
        runner = build_runner(cfg, training=True)
        runner.logger.log(logging.INFO if asked == cfg.resume else logging.WARNING, start)
        runner.train()
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        try:
            path = Path(cfg.work_dir, 'last_checkpoint').read_text().strip()
            good = f'the last good checkpoint is {path}'
        except OSError:
            good = 'there is no checkpoint yet'
        raise OSError(error.errno, f'{error.strerror}; {good}', error.filename) from error
    except Exception as error:
        explained = explain_empty_data(error) or explain_best_metric(error)
        if explained is None:
            raise
        raise explained from error
    return runner


def set_loader_defaults(cfg: Config) -> None:
    """Complete the loaders as mmpretrain's own tools do; its configs count on it."""
    for name in _LOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader.setdefault('collate_fn', ConfigDict(type='default_collate'))
            loader.setdefault('pin_memory', torch.cuda.is_available())
            loader.setdefault('persistent_workers', loader.get('num_workers', 0) > 0)
