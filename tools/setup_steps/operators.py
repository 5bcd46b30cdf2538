"""mmcv's compiled operators: build the wheel once, keep it, use it again.

pip's own build of mmcv's source package sees no torch (build isolation), succeeds without
operators, and keeps that empty wheel in its cache. So the wheel is built here, against the torch
that is installed, without pip's cache, and from fewer files (``sources.py``), which is several
times faster.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from setup_steps.console import Console, NinjaProgress, SetupError
from setup_steps.machine import check_compiler, free_memory_gb, parallel_jobs, running
from setup_steps.sources import unite

#: Asked of the environment's own Python, which has torch.
_PROBE = """
import json, torch
from torch.utils import cpp_extension
print(json.dumps(dict(
    torch=torch.__version__, gpu=torch.cuda.is_available(), cuda_home=cpp_extension.CUDA_HOME)))
"""
_FLAGS = '-DNDEBUG -fwrapv -O1 -g0 -w'


class Operators:
    """The wheel of one mmcv for one environment.

    Args:
        requirement: The name and the version, ``onedl-mmcv==2.3.6`` or ``mmcv==2.1.0``.
        python: The environment's Python; torch, setuptools, wheel and ninja are installed there.
        wheels: A folder of wheels that were built elsewhere, which are used if they import.
            Defaults to None, for no such folder.
    """

    def __init__(self, requirement: str, python: Path, wheels: Path | None = None) -> None:
        self.requirement = requirement
        self.python = python
        probe = subprocess.run([python, '-c', _PROBE], capture_output=True, text=True, check=True)
        self.torch = json.loads(probe.stdout.splitlines()[-1])
        #: The CUDA operators need a GPU and a CUDA toolkit.
        self.cuda = bool(self.torch['gpu'] and self.torch['cuda_home'])
        cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
        self.cache = cache / 'tst_mm' / 'wheels' / cache_key(self.torch['torch'], self.cuda)
        self.wheels = wheels
        self.built = False

    def installed(self) -> bool:
        """Whether this mmcv is installed with operators that load beside this torch."""
        name, version = self.requirement.split('==')
        check = (
            'import mmcv.ops; from importlib.metadata import version; '
            f'assert version({name!r}) == {version!r}'
        )
        command = [str(self.python), '-c', check]
        return subprocess.run(command, capture_output=True, cwd='/').returncode == 0

    def candidates(self) -> Iterator[Path]:
        """Wheels that exist already and may fit."""
        # Wheels from elsewhere have operators for the CPU only.
        folders = [self.cache] if self.cuda or not self.wheels else [self.cache, self.wheels]
        for folder in folders:
            yield from sorted(folder.glob(wheel_pattern(self.requirement)))

    def prepare(self, console: Console) -> None:
        """Build the wheel where none is there that may fit. It needs torch and no other library.

        Args:
            console: The console that shows the progress.

        Raises:
            SetupError: The wheel cannot be built.
        """
        if next(self.candidates(), None) is None and not self.installed():
            self.build(console)

    def install(self, console: Console) -> None:
        """Install mmcv from a kept wheel, or build it; the libraries that it imports are there.

        Args:
            console: The console that shows the progress.

        Raises:
            SetupError: The wheel cannot be built, or does not import afterwards.
        """
        if self.installed():
            return
        for wheel in self.candidates():
            console.show(f'trying {wheel.name}')
            self._pip_install(wheel, console)
            if self.installed():
                return
        if not self.built:
            self._pip_install(self.build(console), console)
        if not self.installed():
            raise SetupError(
                f'{self.requirement} was built, but `import mmcv.ops` fails beside this torch',
                f'run `{self.python} -c "import mmcv.ops"` to see why',
            )

    def _pip_install(self, wheel: Path, console: Console) -> None:
        options = ['--quiet', '--no-deps', '--no-index', '--force-reinstall']
        console.run([self.python, '-m', 'pip', 'install', *options, wheel], lambda line: None)

    def build(self, console: Console) -> Path:
        """Compile the operators.

        Args:
            console: The console that shows the progress.

        Returns:
            The wheel, in the user's cache.

        Raises:
            SetupError: There is no compiler, or the build fails or leaves the operators out.
        """
        check_compiler()
        if self.torch['gpu'] and not self.cuda:
            console.show(
                'a GPU, but no CUDA toolkit (nvcc): mmcv gets operators for the CPU only, which is '
                'enough for classification and segmentation'
            )
        self.cache.mkdir(parents=True, exist_ok=True)
        cpus = len(os.sched_getaffinity(0))
        jobs = os.environ.get('MAX_JOBS') or parallel_jobs(cpus, free_memory_gb())
        # Beside the wheels, not in /tmp, which may lie in memory.
        work = Path(tempfile.mkdtemp(prefix='build-', dir=self.cache))
        env = {
            'CFLAGS': _FLAGS,
            'CXXFLAGS': _FLAGS,
            'MAX_JOBS': str(jobs),
            'MMCV_WITH_OPS': '1',
            'PATH': f'{self.python.parent}{os.pathsep}{os.environ.get("PATH", "")}',
        }
        if not self.cuda:
            env['CUDA_VISIBLE_DEVICES'] = ''  # with a GPU, mmcv insists on nvcc
        try:
            folder = self._download(work, env, console)
            if not self.cuda:  # with it nvcc takes most of the time, and the headers differ
                unite(folder / 'mmcv' / 'ops' / 'csrc' / 'pytorch')
            console.show(f'compiling the operators of mmcv with {jobs} compiler(s)')
            console.run(
                [self.python, 'setup.py', 'bdist_wheel', '--dist-dir', work],
                NinjaProgress(every=8 if self.cuda and not console.live else 1),
                env=env,
                cwd=folder,
            )
            wheel = next(work.glob('*.whl'))
            if not has_operators(wheel):
                raise SetupError(
                    f'{self.requirement} was built without its operators',
                    f'the whole output is in {console.log}',
                )
            self.built = True
            return Path(shutil.move(wheel, self.cache / wheel.name))
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _download(self, work: Path, env: Mapping[str, str], console: Console) -> Path:
        """Download and unpack the source package; return its folder."""
        console.run(
            [self.python, '-m', 'pip', 'download', '--no-deps', '--no-cache-dir']
            + ['--no-build-isolation', '--no-binary', ':all:', '-d', work, self.requirement],
            lambda line: None,
            env=env,
        )
        with tarfile.open(next(work.glob('*.tar.gz'))) as archive:
            archive.extractall(work)  # a release that is pinned, as pip would unpack it
        return next(path for path in work.iterdir() if path.is_dir())


def cache_key(torch_version: str, cuda: bool) -> str:
    """Folder of wheels that fit one torch: ``torch-2.13.0+cpu`` or ``torch-2.13.0+cu130-cuda``."""
    return f'torch-{torch_version}' + ('-cuda' if cuda else '')


def wheel_pattern(requirement: str) -> str:
    """File name pattern of a wheel with compiled parts (``py3-none-any`` has none)."""
    name, version = requirement.split('==')
    tag = f'cp{running().replace(".", "")}'
    return f'{name.replace("-", "_")}-{version}-{tag}-{tag}-*.whl'


def has_operators(wheel: Path) -> bool:
    """Whether a wheel of mmcv holds the extension module."""
    with zipfile.ZipFile(wheel) as archive:
        return any(name.startswith('mmcv/_ext.') for name in archive.namelist())
