"""How a run starts in its work folder: anew or going on, and never into the files of another."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mmengine.config import Config

from tst_mm.utils.checkpoints import (
    check_resumable,
    files_of_runs,
    latest_checkpoint,
    peek_checkpoint,
)

from .exact_resume_hook import STATE_KEY

AUTO = 'auto'


def decide_start(cfg: Config, resume: str | None = None) -> str:
    """Decide from where a run starts, and set ``resume`` and ``load_from`` accordingly.

    Args:
        cfg: Of the run; it is changed. Its own ``resume`` counts where the argument is None.
        resume: Path or address of a checkpoint to go on from; ``'auto'`` for the latest of the
            work folder, where a run without one starts anew; None starts anew.

    Returns:
        A sentence for the log that says what was decided.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The checkpoint is cut short or holds weights only; or the work folder holds
            another run, whose files would be overwritten or mixed with those of this one.
    """
    folder = str(cfg.work_dir)
    folders = [folder, *_out_dirs(cfg)]
    if resume is None and cfg.get('resume'):
        resume = cfg.get('load_from') or AUTO
    if resume == AUTO:
        latest = latest_checkpoint(*folders)
        if latest is not None:
            return _go_on(cfg, latest)
        begin = f'Nothing to resume: there is no checkpoint in {folder}. Training starts anew'
    elif resume is not None:
        if '://' not in resume and not Path(resume).exists():
            raise FileNotFoundError(f'no checkpoint {resume!r} (from {Path.cwd()})')
        if Path(resume).resolve().parent not in [Path(place).resolve() for place in folders]:
            _refuse_used(folders)
        return _go_on(cfg, resume)
    else:
        begin = 'Training starts anew'
    _refuse_used(folders)
    cfg.resume = False
    weights = cfg.get('load_from')
    return f'{begin}, from the weights in {weights} (load_from).' if weights else f'{begin}.'


def _go_on(cfg: Config, checkpoint: str) -> str:
    if '://' not in checkpoint:
        check_resumable(checkpoint)
    cfg.resume, cfg.load_from = True, checkpoint
    return f'The run goes on from {checkpoint}.'


def _refuse_used(folders: list[str]) -> None:
    """Refuse to start a run where another has left its files."""
    used = files_of_runs(*folders)
    if not used:
        return
    try:
        latest = latest_checkpoint(*folders)
    except ValueError:
        latest = None
    what, go_on = f'files of another run ({used[0].name}, ...)', ''
    if latest is not None:
        what, go_on = f'{_describe(latest)} ({latest})', '--resume goes on with it; '
    raise ValueError(
        f'the work folder {folders[0]} holds {what}, whose files would be mixed with those of a '
        f'new one; {go_on}to start a new run choose another work folder (--work-dir), or remove '
        'this one first'
    )


def _describe(checkpoint: str) -> str:
    """How far the run of a checkpoint came, in words."""
    content = peek_checkpoint(checkpoint) or {}
    done, end = content.get('meta', {}).get('iter'), content.get(STATE_KEY, {}).get('end')
    if done is None or end is None:
        return 'another run'
    return f'a {"finished" if done >= end else "started"} run, at iteration {done} of {end}'


def _out_dirs(cfg: Config) -> Iterator[str]:
    """Where hooks keep checkpoints outside of the work folder, as MMEngine names these places."""
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    for hook in hooks:
        if isinstance(hook, Mapping) and hook.get('out_dir'):
            yield f'{str(hook["out_dir"]).rstrip("/")}/{Path(cfg.work_dir).name}'
