"""A dry run: everything is built and a few steps are done, to see that and how fast it works."""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from tst_mm.utils.hooks import find_hook
from tst_mm.utils.unwrap import unwrap_model

from .data.stream import Stream
from .launch import build_runner
from .safety import FirstBatchHook
from .schedule import AlternatingScheduleHook


class DryRunHook(Hook):
    """Does two steps of each kind where training would start, reports, and ends the run."""

    # It runs after all other hooks, which have then checked what they are given.
    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Do the steps and report.

        Raises:
            DryRunDone: This is always raised; its message is the report.
        """
        model = unwrap_model(runner)
        lines = [_parameters(model)]
        checks = find_hook(runner, FirstBatchHook)
        if checks is not None and checks.checks:
            seen = checks.look(runner, next(iter(runner.train_dataloader)))
            lines += [f'{"first batch":16}{words}' for words in seen.split('; ')]
        total, stage = 0.0, []
        hook = find_hook(runner, AlternatingScheduleHook)
        if hook is not None and hook.schedule:
            # First: steps against a teacher of random weights may leave a student of no numbers.
            hook.batches.select(Stream.stage(0), 0, 2)
            seconds = _seconds_a_step(hook.loader, hook.start_stage(0).train_step)
            lengths = [stage.length for stage in hook.schedule]
            steps = ' + '.join(map(str, lengths[:8])) + (' + ...' if lengths[8:] else '')
            total = sum(lengths) * seconds
            stage = [_line('augmenter step', seconds, f'{steps} steps', total)]
        seconds = _seconds_a_step(
            runner.train_dataloader,
            lambda data: runner.model.train_step(data, runner.optim_wrapper),
        )
        spent = runner.max_iters * seconds
        lines += [_line('student step', seconds, f'{runner.max_iters} steps', spent), *stage]
        total += spent
        lines += [f'{"peak memory":16}{_peak_memory()}', f'{"training":16}about {_time(total)}']
        raise DryRunDone('\n'.join([*lines, '(the time of validation is not in it)']))


class DryRunDone(Exception):  # noqa: N818  (not an error)
    """Carries the report out of the runner."""


def dry_run(cfg: Config) -> str:
    """Build everything of a training, load the teacher, do two steps of each stage.

    Nothing is left on disk.

    Args:
        cfg: The config of the training; it is changed.

    Returns:
        A report of the parameters, the seconds of a step, the memory and the time that training
        would take.
    """
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        cfg.resume = False
        cfg.log_level = 'WARNING'
        cfg.visualizer = {'type': 'Visualizer'}
        runner = build_runner(cfg, training=True)
        runner.register_hook(DryRunHook())
        try:
            runner.train()
        except DryRunDone as report:
            return str(report)
    raise RuntimeError('the training ended before its first step')


def _seconds_a_step(loader: Iterable[Any], step: Callable[[Any], Any]) -> float:
    """Do two steps, loading included; the first warms up, the second is timed."""
    batches = iter(loader)
    step(next(batches))
    _wait_for_device()
    start = time.perf_counter()
    step(next(batches))
    _wait_for_device()
    return time.perf_counter() - start


def _wait_for_device() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _parameters(model: Any) -> str:
    counts = {'student': getattr(model, 'student', model)}
    if hasattr(model, 'teacher'):
        counts['teacher'] = model.teacher.model
    if getattr(model, 'augmenter', None) is not None:
        counts['policy'] = model.augmenter.policy
    return f'{"parameters":16}' + '   '.join(
        f'{name} {_count(module):,}' for name, module in counts.items()
    )


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _peak_memory() -> str:
    # The system counts in bytes on macOS and in KiB on Linux.
    unit = 1 if sys.platform == 'darwin' else 1024
    process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit >> 20
    if torch.cuda.is_available():
        return f'{torch.cuda.max_memory_allocated() >> 20} MB on the GPU, {process} MB beside it'
    return f'{process} MB'


def _line(name: str, seconds: float, steps: str, total: float) -> str:
    return f'{name:16}{seconds:.3f} s   {steps}   {_time(total)}'


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
