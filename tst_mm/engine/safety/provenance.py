"""Where a policy comes from, as ``policy.json`` and checkpoints tell it."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.runner import Runner

from tst_mm.version import __version__


def provenance(runner: Runner, schedule: Sequence[Any]) -> dict[str, Any]:
    """Collect it, in plain types.

    Args:
        runner: Of the run.
        schedule: All stages of the run, with their ``begin`` and ``length`` in iterations.

    Returns:
        ``config`` (file name), ``dataset`` (type), ``student``, ``teacher``, ``seed``,
        ``max_iters`` (student iterations), ``stages`` (begin and length of each, in iterations),
        ``tst_mm`` (version), and ``commit`` of the git repository that the run was started in,
        None outside of one.
    """
    cfg = runner.cfg
    model = cfg.get('model') or {}
    model = model if isinstance(model, Mapping) else {}
    loader = cfg.get('train_dataloader') or {}
    return {
        'config': Path(cfg.filename or '').name,
        'dataset': _dataset(loader.get('dataset') if isinstance(loader, Mapping) else loader),
        'student': _network(model.get('student')),
        'teacher': _network(model.get('teacher')),
        'seed': runner.seed,
        'max_iters': runner.max_iters,
        'stages': [[stage.begin, stage.length] for stage in schedule],
        'tst_mm': __version__,
        'commit': git_commit(),
    }


def git_commit() -> str | None:
    """The commit of the repository around the current folder; None where there is none."""
    # mmengine.utils.get_git_hash lets git complain on the terminal outside of a repository.
    try:
        command = ['git', 'rev-parse', 'HEAD']
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None


def _dataset(dataset: Any) -> str | None:
    """Type of a data set; of one that holds another (repeated, mixed), the inner one's."""
    while isinstance(dataset, Mapping):
        inner = dataset.get('dataset') or next(iter(dataset.get('datasets') or []), None)
        if inner is None:
            return _name(dataset.get('type'))
        dataset = inner
    return None if dataset is None else type(dataset).__name__


def _network(model: Any) -> str | None:
    """A network in words: its config, or its type and backbone (``'RetinaNet, ResNet-18'``)."""
    if not isinstance(model, Mapping):
        return None if model is None else type(model).__name__
    if 'cfg_path' in model:
        return str(model['cfg_path'])
    model = model.get('model', model)
    if not isinstance(model, Mapping):
        return type(model).__name__
    words = [_name(model.get('type')) or '?']
    backbone = model.get('backbone')
    if isinstance(backbone, Mapping):
        depth = backbone.get('depth', backbone.get('arch'))
        words.append(f'{_name(backbone.get("type"))}{"" if depth is None else f"-{depth}"}')
    return ', '.join(words)


def _name(kind: Any) -> str | None:
    """A type as configs write it, without its library."""
    if kind is None:
        return None
    return kind.rpartition('.')[2] if isinstance(kind, str) else kind.__name__
