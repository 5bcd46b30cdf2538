"""Show TST on real images, in minutes: a teacher and its students, a table, a picture, a report.

Trains a teacher, then the same student several times, through tools/train.py from the configs in
configs/demo. For classification: with plain distillation (KD), with KD on images that RandAugment
changes, and with TST; --also adds the student alone and KD with an untrained policy. For the dense
tasks: alone, with KD, with KD and an untrained policy, and with TST.
Runs that are finished are not repeated, interrupted ones are continued; delete the work folder to
start anew. Data and work folder are made in the current folder.

Examples:
  tst demo
  tst demo --seeds 3
  tst demo --also plain random
  tst demo --task retinanet --work-dir work_dirs/mine
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from threading import Timer

from tst_mm.experiments import Run, RunError, cost_table, read_result, train_all
from tst_mm.utils.git import git_state

#: What the package has of the repository: configs and tools; links in a clone, files in a wheel.
ROOT = Path(__file__).resolve().parents[1] / '.mim'
WORK_DIR = Path('work_dirs/demo')
#: Students in the order of the table; a task may have only some of them.
STUDENTS = {
    'plain': 'student alone',
    'kd': 'KD',
    'randaugment': 'KD + RandAugment',
    'random': 'KD + untrained random policy',
    'tst': 'TST',
}
#: How many trainings run at a time: one more than two processors, so that none of them waits.
_JOBS = 3
#: Seconds after which the trainings that start first have started.
_LATER = 30.0


@dataclass(frozen=True)
class Task:
    """One demo: ``configs/demo/<name>_teacher.py`` and ``configs/demo/<name>_<student>.py``.

    Attributes:
        about: What is trained on what, in one line.
        metric: The name of the metric in MMEngine's scalars.
        head: The title of the metric's column.
        scale: What the metric is multiplied by to be in percent. Defaults to 1.
        students: The keys of ``STUDENTS`` that are trained if nothing else is said; ``'kd'`` and
            ``'tst'`` are among them. Defaults to all but ``'randaugment'``.
        data: The script under ``tools/data`` that makes the data, and its arguments; empty, the
            default, when the data is shipped.
    """

    about: str
    metric: str
    head: str
    scale: float = 1.0
    students: tuple[str, ...] = ('plain', 'kd', 'random', 'tst')
    data: tuple[str, ...] = ()


def _dense(labels: str, form: str, metric: str, head: str, scale: float) -> Task:
    """A demo on scenes that are composed of Fashion-MNIST items."""
    return Task(
        about=f'composed scenes with {labels}: the teacher sees 400, the students 40 of them',
        metric=metric,
        head=head,
        scale=scale,
        data=('composed_scenes.py', '--format', form),
    )


TASKS = {
    'classification': Task(
        about='Fashion-MNIST: the teacher sees 6,000 images, the students 600 of them',
        metric='accuracy/top1',
        head='accuracy, %',
        students=('kd', 'randaugment', 'tst'),
    ),
    'faster_rcnn': _dense('boxes', 'coco', 'coco/bbox_mAP', 'mAP, %', 100.0),
    'retinanet': _dense('boxes', 'coco', 'coco/bbox_mAP', 'mAP, %', 100.0),
    'pspnet': _dense('label maps', 'cityscapes', 'mIoU', 'mIoU, %', 1.0),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('--task', choices=[*TASKS, 'all'], default='classification')
    parser.add_argument(
        '--seeds', type=_positive, default=1, help='runs of each student (default: 1)'
    )
    parser.add_argument(
        '--also',
        nargs='+',
        choices=STUDENTS,
        default=[],
        metavar='STUDENT',
        help=f'further students of the task: {", ".join(STUDENTS)}',
    )
    parser.add_argument('--work-dir', type=Path, default=WORK_DIR, help='(default: work_dirs/demo)')
    parser.add_argument(
        '--jobs',
        type=_positive,
        default=_JOBS,
        help=f'trainings at a time (default: {_JOBS})',
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo.

    Returns:
        0; 1 after a failed training, which is then named on stderr; 130 after Ctrl-C.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # trainings end with the demo
    names = list(TASKS) if args.task == 'all' else [args.task]
    for name in names:  # all of them before the first training
        _check_students(name, args.also)
    try:
        for name in names:
            demonstrate(name, args.seeds, args.work_dir.resolve() / name, args.jobs, args.also)
    except RunError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\ninterrupted; the same command continues', file=sys.stderr)
        return 130
    return 0


def _positive(text: str) -> int:
    """A number of at least 1, for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not allowed; allowed: 1 or more')
    return int(text)


def _check_students(name: str, also: Sequence[str]) -> None:
    """Refuse a further student that a task has no config for."""
    configs = ROOT / 'configs' / 'demo'
    there = [student for student in STUDENTS if (configs / f'{name}_{student}.py').is_file()]
    for student in also:
        if student not in there:
            raise ValueError(f'{name} has no student {student!r}; allowed: {", ".join(there)}')


def demonstrate(name: str, seeds: int, folder: Path, jobs: int, also: Sequence[str] = ()) -> None:
    """Train, print the table, write picture and report of one task.

    Args:
        name: The key of the task in ``TASKS``.
        seeds: How many runs each student has.
        folder: The folder that everything of this task goes to.
        jobs: How many trainings run at a time.
        also: The keys of further students in ``STUDENTS``. Defaults to none.

    Raises:
        RunError: A training failed.
    """
    task = TASKS[name]
    configs = ROOT / 'configs' / 'demo'
    teacher = Run('teacher', configs / f'{name}_teacher.py', folder / 'teacher')
    students = {
        student: [
            Run(
                f'{student}, seed {seed}' if seeds > 1 else student,
                configs / f'{name}_{student}.py',
                folder / f'{student}_seed{seed}',
                seed,
                None if student == 'plain' else teacher,
            )
            for seed in range(seeds)
        ]
        for student in STUDENTS
        if student in task.students or student in also
    }
    print(f'\n{task.about}\n', flush=True)
    if task.data:
        script, *options = task.data
        command = [sys.executable, str(ROOT / 'tools' / 'data' / script), *options]
        subprocess.run(command, check=True)
    # The longest first, so that no core waits for it at the end.
    longest_first = [run for student in reversed(students) for run in students[student]]
    # Takes seconds to import, which pass while the trainings run, but not as they start.
    later = Timer(_LATER, import_module, ['tst_mm.visualization.report'])
    later.daemon = True
    later.start()
    train_all([teacher, *longest_first], jobs)

    results = {
        key: [read_result(run, task.metric, task.scale) for run in runs]
        for key, runs in {'teacher': [teacher], **students}.items()
    }
    table = cost_table(results, {'teacher': 'teacher', **STUDENTS}, 'kd', task.head)
    print(f'\n{table}\n')
    print('Cost is relative to KD and includes, in the last column, the augmenter stages.')
    print('The teacher may have had more processors than a student, which makes it look cheap.')
    if seeds == 1:
        print('One seed: differences of about one point can be chance; --seeds 3 shows the spread.')
    options = ' '.join([f'--task {name} --seeds {seeds}', *(['--also', *also] if also else [])])
    _write_results(folder, options, results, table)

    from tst_mm.visualization import load_runs, save_summary, write_report

    student = next(students['tst'][0].folder.glob('student_*.pth'))
    print(f'the TST student, for plain OpenMMLab: {_relative(student)}')
    runs = load_runs([run.folder for run in students['tst']])
    page, *figures = write_report(folder / 'report.html', runs)
    print(f'figures: {_relative(figures[0].parent)}')
    print(f'report: {_relative(page)}')
    picture = save_summary(folder / 'learned.png', runs[0])
    print(f'what TST learned, in one picture: {_relative(picture)}')


def _write_results(folder: Path, options: str, results: dict, table: str) -> None:
    """Keep the numbers with what they come from; ``options`` are those of the command."""
    rows = {key: [asdict(result) for result in found] for key, found in results.items()}
    command = f'python tools/demo.py {options}'
    commit = git_state(ROOT)
    record = {'command': command, 'commit': commit, 'results': rows}
    (folder / 'results.json').write_text(json.dumps(record, indent=1) + '\n')
    (folder / 'results.md').write_text(f'`{command}`, commit {commit}\n\n{table}\n')


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
