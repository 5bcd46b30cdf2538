"""Show TST on real images, in minutes: a teacher and its students, a table, a report.

Trains a teacher, then the same student several times: alone, with plain distillation (KD), and
with TST, all through tools/train.py from the configs in configs/demo. Runs that are finished are
not repeated, interrupted ones are continued; delete the work folder to start anew.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from demo_steps.queue import RunError, train_all
from demo_steps.results import format_table, read_result
from demo_steps.run import ROOT, Run

WORK_DIR = ROOT / 'work_dirs' / 'demo'
#: Students in the order of the table; a task may have only some of them.
STUDENTS = {
    'plain': 'student alone',
    'kd': 'KD',
    'random': 'KD + untrained random policy',
    'tst': 'TST',
}


@dataclass(frozen=True)
class Task:
    """One demo: ``configs/demo/<name>_teacher.py`` and ``configs/demo/<name>_<student>.py``.

    Attributes:
        about: What is trained on what, in one line.
        metric: Name in MMEngine's scalars.
        head: Of the metric's column.
        scale: Of the metric, to give percent.
        students: Keys of ``STUDENTS``; ``'kd'`` and ``'tst'`` are among them.
        data: Command that makes the data, from the repository's root; none when it is shipped.
    """

    about: str
    metric: str
    head: str
    scale: float = 1.0
    students: tuple[str, ...] = tuple(STUDENTS)
    data: tuple[str, ...] = ()


def _dense(labels: str, form: str, metric: str, head: str, scale: float) -> Task:
    """A demo on scenes that are composed of Fashion-MNIST items."""
    return Task(
        about=f'composed scenes with {labels}: the teacher sees 400, the students 40 of them',
        metric=metric,
        head=head,
        scale=scale,
        data=('tools/data/composed_scenes.py', '--format', form),
    )


TASKS = {
    'classification': Task(
        about='Fashion-MNIST: the teacher sees 6,000 images, the students 600 of them',
        metric='accuracy/top1',
        head='accuracy, %',
    ),
    'faster_rcnn': _dense('boxes', 'coco', 'coco/bbox_mAP', 'mAP, %', 100.0),
    'retinanet': _dense('boxes', 'coco', 'coco/bbox_mAP', 'mAP, %', 100.0),
    'pspnet': _dense('label maps', 'cityscapes', 'mIoU', 'mIoU, %', 1.0),
}


def main(argv: list[str] | None = None) -> int:
    """Run the demo.

    Args:
        argv: Command line; the process's own by default.

    Returns:
        0, or 1 after a failed training, which is then named on stderr.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--task', choices=[*TASKS, 'all'], default='classification')
    parser.add_argument('--seeds', type=int, default=1, help='runs of each student (default: 1)')
    parser.add_argument('--work-dir', type=Path, default=WORK_DIR, help='(default: work_dirs/demo)')
    parser.add_argument(
        '--jobs',
        type=int,
        default=None,
        help='trainings at a time (default: one a core, at most 3)',
    )
    args = parser.parse_args(argv)
    if args.seeds < 1:
        parser.error(f'--seeds is {args.seeds}; allowed: 1 or more')
    jobs = args.jobs or min(3, len(os.sched_getaffinity(0)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # trainings end with the demo
    try:
        for name in TASKS if args.task == 'all' else [args.task]:
            demonstrate(name, args.seeds, args.work_dir.resolve() / name, jobs)
    except RunError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\ninterrupted; the same command continues', file=sys.stderr)
        return 130
    return 0


def demonstrate(name: str, seeds: int, folder: Path, jobs: int) -> None:
    """Train, print the table, write the report of one task.

    Args:
        name: Key of ``TASKS``.
        seeds: Runs of each student.
        folder: Where everything of this task goes.
        jobs: Trainings at a time.
    """
    task = TASKS[name]
    teacher = Run('teacher', f'configs/demo/{name}_teacher.py', folder / 'teacher')
    students = {
        student: [
            Run(
                f'{student}, seed {seed}' if seeds > 1 else student,
                f'configs/demo/{name}_{student}.py',
                folder / f'{student}_seed{seed}',
                seed,
                None if student == 'plain' else teacher,
            )
            for seed in range(seeds)
        ]
        for student in task.students
    }
    print(f'\n{task.about}\n', flush=True)
    if task.data:
        subprocess.run([sys.executable, *task.data], cwd=ROOT, check=True)
    # The longest first, so that no core waits for it at the end.
    longest_first = [run for student in reversed(students) for run in students[student]]
    train_all([teacher, *longest_first], jobs)

    results = {
        key: [read_result(run, task.metric, task.scale) for run in runs]
        for key, runs in {'teacher': [teacher], **students}.items()
    }
    table = format_table(results, {'teacher': 'teacher', **STUDENTS}, 'kd', task.head)
    print(f'\n{table}\n')
    print('Cost is relative to KD and includes, in the last column, the augmenter stages.')
    if seeds == 1:
        print('One seed: differences of about one point can be chance; --seeds 3 shows the spread.')
    _write_results(folder, name, seeds, results, table)

    from tst_mm.visualization import load_runs, write_report  # takes seconds to import

    student = next(students['tst'][0].folder.glob('student_*.pth'))
    print(f'the TST student, for plain OpenMMLab: {_relative(student)}')
    runs = load_runs([run.folder for run in students['tst']])
    page, *figures = write_report(folder / 'report.html', runs)
    print(f'figures: {_relative(figures[0].parent)}')
    print(f'report: {_relative(page)}')


def _write_results(folder: Path, name: str, seeds: int, results: dict, table: str) -> None:
    """Keep the numbers with what they come from."""
    commit = subprocess.run(
        ['git', 'describe', '--always', '--dirty'], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    rows = {key: [asdict(result) for result in found] for key, found in results.items()}
    command = f'python tools/demo.py --task {name} --seeds {seeds}'
    record = {'command': command, 'commit': commit, 'results': rows}
    (folder / 'results.json').write_text(json.dumps(record, indent=1) + '\n')
    (folder / 'results.md').write_text(f'`{command}`, commit {commit or "unknown"}\n\n{table}\n')


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == '__main__':
    sys.exit(main())
