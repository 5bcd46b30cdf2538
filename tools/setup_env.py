"""Set up everything that tst_mm needs, once: ``make setup`` calls this.

Makes a virtual environment, installs torch, builds mmcv's operators against it (kept for the next
time) while it installs the OpenMMLab libraries of one family, and tst_mm itself in editable mode.
What only tests and checks of style need comes with ``--tests``. A second call finds that nothing
changed and returns at once.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from setup_steps import machine
from setup_steps.console import Console, SetupError, diagnose, pip_progress
from setup_steps.operators import Operators

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / 'requirements'
FAMILIES = {'default': 'mminstall.txt', 'classic': 'mminstall-classic.txt'}
#: The environment variable that names a folder of wheels of mmcv built elsewhere.
WHEELS = 'TST_MM_WHEELS'
#: Whatever is broken shows here, not in the middle of a training, whose modules are compiled by it.
_CHECKS = (
    'import tst_mm.compat, tst_mm.engine.launch, tst_mm.visualization.report, mmpretrain.models; '
    'import mmpretrain.engine; tst_mm.compat.load_mmrazor()',
    'import tst_mm.compat, mmcv.ops, mmdet.models, mmseg.models',
)


def main(argv: list[str] | None = None) -> int:
    """Run the set-up.

    Args:
        argv: The command line; the process's own by default.

    Returns:
        0, or 1 after a failing step, which is then named on stderr.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--family', choices=FAMILIES, default='default', help='of OpenMMLab')
    parser.add_argument(
        '--venv', default='.venv', help="its folder, or 'active' for the environment in use"
    )
    parser.add_argument(
        '--wheels',
        type=Path,
        default=os.environ.get(WHEELS) or None,
        metavar='DIR',
        help='folder of wheels of mmcv built elsewhere, tried before mmcv is compiled '
        f'(default: what the variable {WHEELS} names)',
    )
    parser.add_argument(
        '--tests', action='store_true', help='also what the tests and the checks of style need'
    )
    args = parser.parse_args(argv)
    if args.wheels and not args.wheels.is_dir():
        parser.error(f'--wheels or {WHEELS}: {args.wheels} is not a folder')
    try:
        set_up(args.family, args.venv, args.wheels, args.tests)
    except (SetupError, OSError) as error:
        failure = diagnose(str(error)) if isinstance(error, OSError) else error
        print(f'\nset-up failed: {failure.why}\n   what to do: {failure.remedy}', file=sys.stderr)
        if failure.details:
            print(f'\n{failure.details}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nset-up interrupted; run it again to go on', file=sys.stderr)
        return 1
    return 0


def set_up(family: str, venv: str, wheels: Path | None, tests: bool = False) -> None:
    """Do what is not done yet.

    Args:
        family: The key of the family in ``FAMILIES``.
        venv: The folder of the virtual environment, or ``'active'``.
        wheels: The folder of wheels of mmcv that were built elsewhere; None for no such folder.
        tests: Whether what only tests and checks of style need is installed too. Defaults to False.

    Raises:
        SetupError: A step fails.
    """
    folder = active_environment() if venv == 'active' else ROOT / venv
    # Modules are compiled as they are imported: most of what lies in the libraries never is.
    pip = [folder / 'bin' / 'python', '-m', 'pip', 'install', '--disable-pip-version-check']
    pip.append('--no-compile')
    state = fingerprint(family)
    stamp = folder / 'tst_mm-setup'
    if not _says(stamp, state):
        start = time.monotonic()
        _set_up(family, folder, pip, wheels, make=venv != 'active')
        stamp.write_text(state, encoding='ascii')
        print(f'set up in {(time.monotonic() - start) / 60:.1f} min')
    stamp = folder / 'tst_mm-setup-tests'
    if tests and not _says(stamp, state):
        console = Console(total=1, log=folder / 'tst_mm-setup.log')
        console.step('what tests and checks of style need')
        console.run([*pip, '-r', REQUIREMENTS / 'tests.txt'], pip_progress)
        stamp.write_text(state, encoding='ascii')


def _says(stamp: Path, state: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding='ascii') == state


def _set_up(family: str, folder: Path, pip: list, wheels: Path | None, make: bool) -> None:
    """Do everything that using tst_mm needs; ``make`` says whether the environment is made too."""
    machine.check_python(family)
    print(f'tst_mm set-up, {family} family, into {folder} (once)')
    print(f'Python {sys.version.split()[0]}, {sys.executable}')
    folder.mkdir(parents=True, exist_ok=True)
    machine.check_disk(folder)
    console = Console(total=5, log=folder / 'tst_mm-setup.log')

    console.step('virtual environment')
    if make:
        console.run([sys.executable, '-m', 'venv', folder], lambda line: None)

    console.step('torch')
    console.run([*pip, '-r', REQUIREMENTS / 'build.txt'], pip_progress)

    libraries = read_requirements(REQUIREMENTS / FAMILIES[family])
    mmcv = next(line for line in libraries if line.split('==')[0].endswith('mmcv'))
    libraries.remove(mmcv)
    console.step(f'the libraries; meanwhile, the operators of {mmcv}')
    operators = Operators(mmcv, folder / 'bin' / 'python', wheels)

    def install() -> None:
        needed = [f'-r{REQUIREMENTS / name}.txt' for name in ('runtime', 'optional')]
        console.run([*pip, *needed], pip_progress)
        # Built with the setuptools that is there, which need not be downloaded for each of them.
        source = [*pip, '--no-deps', '--no-build-isolation']
        console.run([*source, *libraries], pip_progress)
        # Two environments may be set up at once; both build in the folder of the clone.
        with (ROOT / 'setup.py').open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            console.run([*source, '-e', ROOT], pip_progress)

    side_by_side(lambda: operators.prepare(console), install)

    console.step('mmcv')
    operators.install(console)

    console.step('check: everything imports')
    python = folder / 'bin' / 'python'
    side_by_side(
        *(
            partial(console.run, [python, '-c', check], lambda line: None, cwd=folder)
            for check in _CHECKS
        )
    )


def side_by_side(*tasks: Callable[[], None]) -> None:
    """Do several things at the same time; wait for all of them.

    Args:
        tasks: What is done.

    Raises:
        SetupError: One of them fails; the first of these errors, in the order of the tasks.
    """
    with ThreadPoolExecutor(len(tasks)) as pool:
        for started in [pool.submit(task) for task in tasks]:
            started.result()


def active_environment() -> Path:
    """Folder of the environment that this Python belongs to.

    Raises:
        SetupError: The environment is that of the system, which must be left alone.
    """
    if sys.prefix == sys.base_prefix and not os.environ.get('CONDA_PREFIX'):
        raise SetupError(
            'VENV=active, but no environment is active', 'activate one, or leave VENV=active out'
        )
    return Path(sys.prefix)


def read_requirements(path: Path) -> list[str]:
    """The requirements of a file, comments dropped."""
    lines = path.read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def fingerprint(family: str) -> str:
    """A hash of everything that decides what the set-up does."""
    files = [*REQUIREMENTS.glob('*.txt'), *(ROOT / 'tools' / 'setup_steps').glob('*.py')]
    digest = hashlib.sha256(f'{family} {sys.version} {ROOT}'.encode())
    for path in [*sorted(files), ROOT / 'setup.py', Path(__file__)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == '__main__':
    sys.exit(main())
