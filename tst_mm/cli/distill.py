r"""Teach a student of any config: the config of the student, that of a teacher, and your data.

The configs are those of plain trainings, of mmpretrain, mmdet or mmseg: an address such as
mmpretrain::resnet/resnet18_8xb32_in1k.py, or a file. What is trained is written to distill.py in
the work folder, to be read, kept and edited; `tst train` trains it as it stands.

With --data the student and the teacher take the classes of a folder of yours (see
`tst check data --help` for the layouts). They are written to student.py and teacher.py, which train
alone and evaluate what was trained.

Examples:
  tst distill mmpretrain::resnet/resnet18_8xb32_in1k.py \
      --teacher mmpretrain::resnet/resnet50_8xb32_in1k.py --data ~/pictures --train-teacher
  tst distill mmdet::retinanet/retinanet_r18_fpn_1x_coco.py \
      --teacher mmdet::retinanet/retinanet_r101_fpn_2x_coco.py --checkpoint r101.pth --dry-run
  tst distill my_student.py --teacher my_teacher.py --checkpoint teacher.pth --seed 1
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from tst_mm.apis.config import (
    add_distillation,
    plain_config,
    published_weights,
    write_config,
)
from tst_mm.apis.own_data import own_classes, use_data
from tst_mm.datasets.layouts import find_layout

from . import train

#: The name under which the last checkpoint of a teacher trained here is found.
_TRAINED = 'trained.pth'


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('student', help='config of the student: an address or a file')
    parser.add_argument('--teacher', required=True, help='config of the teacher')
    parser.add_argument(
        '--checkpoint',
        help="of the teacher (default: what the teacher's library publishes for its config, where "
        'the classes are the same)',
    )
    parser.add_argument(
        '--train-teacher',
        action='store_true',
        help='train the teacher first, by its own config, on the same data; not a second time',
    )
    parser.add_argument('--data', metavar='ROOT', help="folder (default: the student's own data)")
    parser.add_argument('--work-dir', help='(default: work_dirs/distill_ and the student)')
    parser.add_argument('--seed', type=int, default=0, help='(default: 0)')
    parser.add_argument('--plain', action='store_true', help='plain distillation, to compare with')
    parser.add_argument('--resume', action='store_true', help='go on from the last checkpoint')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument('--dry-run', action='store_true', help='build all and do a few steps only')
    parser.add_argument('--write-only', action='store_true', help='write the configs and stop')
    parser.add_argument('--overwrite', action='store_true', help='write over edited configs')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='entries of distill.py, as in: train_cfg.max_epochs=3 train_dataloader.batch_size=8',
    )
    parser.add_argument(
        '--teacher-options',
        nargs='+',
        action=DictAction,
        default={},
        help='entries of teacher.py, with --data or --train-teacher',
    )


def run(args: Namespace) -> int:
    """Write the configs, and train.

    Returns:
        The exit code.

    Raises:
        FileExistsError: A config in the work folder was edited and would be written over.
        KeyError: A config is not that of a plain training.
        ValueError: The configs do not go together, or the teacher has no weights.
    """
    folder = Path(args.work_dir or f'work_dirs/distill_{Path(args.student).stem}')
    student = plain_config('student', args.student)
    teacher = plain_config('teacher', args.teacher)
    if student.default_scope != teacher.default_scope:
        raise ValueError(
            f'the student is of {student.default_scope}, the teacher of {teacher.default_scope}; '
            f'allowed: two of the same library'
        )
    entry = {'cfg_path': _place(args.teacher)}
    published = None if args.checkpoint or args.train_teacher else published_weights(args.teacher)
    if args.data:
        layout = find_layout(args.data, student.default_scope)
        if published and own_classes(teacher) != layout.classes:
            published = None  # its last layer is for other classes
        for cfg in (student, teacher):
            use_data(cfg, layout, folder / 'lists')
        print(f'data: {layout.root}: {layout.kind}, {len(layout.classes)} classes')
    entry['checkpoint'] = _checkpoint(args, folder, published)
    if args.data or args.train_teacher:
        entry['cfg_path'] = str((folder / 'teacher.py').resolve())
        teacher.merge_from_dict(args.teacher_options)
        _write(folder / 'teacher.py', teacher, args.teacher, args.overwrite)
    elif args.teacher_options:
        raise ValueError('--teacher-options has no effect without --data or --train-teacher')
    if args.data:
        student.merge_from_dict(_of_student(args.cfg_options, student))
        _write(folder / 'student.py', student, args.student, args.overwrite)
    add_distillation(student, entry, None if args.plain else {})
    student.randomness = {**student.get('randomness', {}), 'seed': args.seed}
    student.merge_from_dict(args.cfg_options)
    config = folder / 'distill.py'
    _write(config, student, args.student, args.overwrite)
    if args.write_only:
        return 0
    options = {}
    if args.train_teacher and not Path(entry['checkpoint']).exists():
        if args.dry_run:
            print('the teacher is not trained yet; the dry run takes one with random weights')
            options['model.teacher.checkpoint'] = 'random'
        elif code := _train_teacher(folder, args.amp):
            return code
    train.run(
        Namespace(
            config=str(config),
            work_dir=str(folder),
            resume='auto' if args.resume else None,
            amp=args.amp,
            dry_run=args.dry_run,
            no_validate=False,
            auto_scale_lr=False,
            launcher='none',
            local_rank=0,
            cfg_options=options,
        )
    )
    students = sorted(folder.glob('student_*.pth'), key=lambda path: path.stat().st_mtime)
    if students and not args.dry_run:
        print(f'student: {students[-1]}')
        if not args.plain:
            print(f'report: {folder / "report.html"}')
    return 0


def _of_student(options: dict[str, Any], student: Config) -> dict[str, Any]:
    """The options that change the student's network, as the config of the student alone has it."""
    found = {}
    for key, value in options.items():
        part = key.removeprefix('model.student.')
        if part != key and part.split('.')[0] in student.model:
            found[f'model.{part}'] = value
    return found


def _place(address: str) -> str:
    """An address as it is, a file by its whole path."""
    return address if '::' in address else str(Path(address).resolve())


def _checkpoint(args: Namespace, folder: Path, published: str | None) -> str:
    """Where the weights of the teacher are, or will be.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: Nothing says where.
    """
    if args.checkpoint:
        known = args.checkpoint == 'random' or '://' in args.checkpoint
        if not known and not Path(args.checkpoint).is_file():
            raise FileNotFoundError(f'teacher: no checkpoint {args.checkpoint!r}')
        return args.checkpoint if known else str(Path(args.checkpoint).resolve())
    if args.train_teacher:
        return str((folder / 'teacher').resolve() / _TRAINED)  # a link, as it is
    if published is None:
        raise ValueError(
            f'teacher: no weights are published for {args.teacher} with these classes; allowed: '
            '--checkpoint FILE, or --train-teacher, which trains it first on the same data'
        )
    return published


def _write(path: Path, cfg: Config, base: str, overwrite: bool) -> None:
    """Write a config, unless one stands there that someone has edited."""
    command = f'`tst train {path}` trains what stands here.'
    written = path.with_suffix('.new')
    write_config(written, cfg, base, f'Written by tst distill; edit it as you like.\n{command}')
    text = written.read_text(encoding='utf-8')
    written.unlink()
    if path.exists() and path.read_text(encoding='utf-8') != text and not overwrite:
        raise FileExistsError(
            f'{path} is not what this command would write; allowed: `tst train {path} '
            f'--work-dir {path.parent}`, which takes it as it is; --overwrite; another --work-dir'
        )
    path.write_text(text, encoding='utf-8')
    print(f'config: {path}')


def _train_teacher(folder: Path, amp: bool) -> int:
    """Train the teacher in a process of its own, or go on with that; return its exit code."""
    place = folder / 'teacher'
    command = [sys.executable, '-m', 'tst_mm', 'train', str(folder / 'teacher.py')]
    command += ['--work-dir', str(place), '--resume', *(['--amp'] if amp else [])]
    print(f'teacher: trained first, in {place}', flush=True)
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        last = Path((place / 'last_checkpoint').read_text().strip())
        (place / _TRAINED).unlink(missing_ok=True)  # a link to what is gone
        (place / _TRAINED).symlink_to(os.path.relpath(last.resolve(), place.resolve()))
    return code
