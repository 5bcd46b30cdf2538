"""The function ``distill``: TST in one call, over MMEngine's Runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

import tst_mm  # noqa: F401  (its mends come before any other library)
from tst_mm.datasets.layouts import find_layout
from tst_mm.engine.launch import set_loader_defaults, train
from tst_mm.engine.safety.work_folder import AUTO
from tst_mm.models.build import read_config
from tst_mm.utils import closest
from tst_mm.utils.unwrap import unwrap_model

from .config import add_distillation, check_plain
from .own_data import use_data

#: The keys of a config that belong to the data.
_DATA = tuple(
    f'{split}_{part}' for split in ('train', 'val', 'test') for part in ('dataloader', 'evaluator')
)


@dataclass(frozen=True)
class Distilled:
    """What a distillation leaves.

    Attributes:
        student (nn.Module): The trained student, an ordinary OpenMMLab model.
        work_dir (Path): Folder of logs, checkpoints and student files.
        policy (Path, optional): The file ``policy.json``; None for plain distillation.
        report (Path, optional): The page of figures; None for plain distillation.
    """

    student: nn.Module
    work_dir: Path
    policy: Path | None
    report: Path | None


def distill(
    student: str | Path | Config,
    teacher: Mapping[str, Any],
    data: str | Path | Mapping[str, Any] | None = None,
    augmenter: Mapping[str, Any] | None = {},  # noqa: B006  (never changed)
    stages: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    batch_mode: str | float = 'adaptive',
    work_dir: str | Path | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    resume: bool | str | Path = False,
) -> Distilled:
    """Train a student with TST.

    Args:
        student: The config of the student's plain training: an address (``'mmdet::...'``), a file
            or a config. Its optimiser, schedule, data and evaluation are kept.
        teacher: The network that teaches, ``dict(cfg_path=..., checkpoint=...)``; see
            :class:`tst_mm.models.FrozenTeacher`.
        data: Data to use in place of those of the student's config: a folder in a known layout
            (:func:`tst_mm.datasets.layouts.find_layout`), whose classes the student then has; or a
            config with loaders and evaluators, as address, file or dictionary
            (``dict(train_dataloader=..., val_dataloader=...)``). Defaults to None, the student's
            own data.
        augmenter: The arguments of :class:`tst_mm.augment.LearnedAugmenter`. Defaults to none, so
            that all have their defaults; None is plain distillation.
        stages: The stages of the search, as :class:`AlternatingScheduleHook` takes them. Defaults
            to None, the default of that hook.
        batch_mode: The part of a batch that is augmented; see :class:`BaseDistiller`. Defaults to
            ``'adaptive'``.
        work_dir: The folder of the run. Defaults to ``work_dirs/distill_`` and the name of the
            student's config.
        seed: The seed of the run. Defaults to 0.
        options: Changes of the config by dotted keys, as ``--cfg-options`` takes them. Defaults to
            none.
        resume: The checkpoint to go on from; True for the latest one in ``work_dir``, where a run
            without one starts anew. Defaults to False: a new run, in a work folder that holds no
            other.

    Returns:
        The trained student, and where everything lies.

    Raises:
        KeyError: The config, the teacher or the data lack something or have an unknown key.
        ValueError: There is no distiller for the config's library, stages are given without an
            augmenter, or the work folder holds another run.

    Example:
        >>> result = distill(
        ...     'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py',
        ...     teacher=dict(
        ...         cfg_path='mmdet::retinanet/retinanet_r101_fpn_2x_coco.py',
        ...         checkpoint='retinanet_r101.pth'))
        >>> result.student, result.policy
    """
    cfg = deepcopy(student) if isinstance(student, Config) else read_config('student', str(student))
    name = Path(cfg.filename or 'student').stem
    check_plain('student', cfg)
    if augmenter is None and stages is not None:
        raise ValueError('stages have no effect without an augmenter; give it one or leave them')
    cfg.work_dir = str(work_dir or Path('work_dirs', f'distill_{name}'))
    if isinstance(data, (str, Path)) and Path(data).expanduser().is_dir():
        use_data(cfg, find_layout(data, cfg.default_scope), Path(cfg.work_dir, 'lists'))
    elif data is not None:
        _take_data(cfg, data)
    add_distillation(cfg, teacher, augmenter, batch_mode, stages)
    cfg.randomness = {**cfg.get('randomness', {}), 'seed': seed}
    cfg.setdefault('launcher', 'none')
    if cfg.default_scope == 'mmpretrain':
        set_loader_defaults(cfg)
    cfg.merge_from_dict(dict(options or {}))
    runner = train(cfg, AUTO if resume is True else str(resume) if resume else None)
    folder = Path(runner.work_dir)
    found = augmenter is not None
    return Distilled(
        student=unwrap_model(runner).student,
        work_dir=folder,
        policy=folder / 'policy.json' if found else None,
        report=folder / 'report.html' if found else None,
    )


def _take_data(cfg: Config, data: str | Path | Mapping[str, Any]) -> None:
    """Put the loaders and evaluators of ``data`` in the place of those in the config."""
    known: Mapping[str, Any]
    if isinstance(data, Mapping):
        for key in data:
            if key not in (*_DATA, 'data_preprocessor'):
                raise KeyError(f'data has no key {key!r}; {closest(key, _DATA)}')
        known = data
    else:
        known = read_config('data', str(data))
    if 'train_dataloader' not in known:
        raise KeyError('data needs "train_dataloader"')
    for key in (*_DATA, 'data_preprocessor'):
        if key in known:
            cfg[key] = deepcopy(known[key])
