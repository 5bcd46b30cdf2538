"""What `pip install .` puts into an environment."""

import shutil
import subprocess
import sys
import zipfile

import pytest


@pytest.fixture(scope='module')
def wheel(root, tmp_path_factory):
    """The wheel, built from a copy so that no build folder is left behind."""
    source = tmp_path_factory.mktemp('source')
    for name in ('setup.py', 'pyproject.toml', 'README.md', 'LICENSE', 'model-index.yml'):
        shutil.copy(root / name, source)
    ignore = shutil.ignore_patterns('__pycache__')
    for name in ('requirements', 'tst_mm', 'configs', 'tools'):
        shutil.copytree(root / name, source / name, symlinks=True, ignore=ignore)
    options = ['--quiet', '--no-deps', '--no-build-isolation', '--disable-pip-version-check']
    command = [sys.executable, '-m', 'pip', 'wheel', *options, '-w', source, source]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    (path,) = source.glob('*.whl')
    with zipfile.ZipFile(path) as archive:
        yield archive


def files_in(folder):
    return [path for path in folder.rglob('*') if path.is_file() and path.suffix != '.pyc']


def test_holds_every_module_the_embedded_data_configs_and_tools(wheel, root):
    files = {str(path.relative_to(root)) for path in files_in(root / 'tst_mm')}
    files -= {name for name in files if name.startswith('tst_mm/.mim/')}  # links, in a clone
    for name in ('configs', 'tools'):
        files |= {f'tst_mm/.mim/{path.relative_to(root)}' for path in files_in(root / name)}
    files.add('tst_mm/.mim/model-index.yml')
    packed = {name for name in wheel.namelist() if not name.startswith('tst_mm-')}
    assert packed == files
    assert any(name.endswith('images-idx3-ubyte.gz') for name in packed)


def test_requires_nothing_of_either_family(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith('/METADATA'))
    lines = wheel.read(name).decode().splitlines()
    required = [line.split(': ')[1] for line in lines if line.startswith('Requires-Dist: ')]
    assert required
    assert not [it for it in required if it.startswith(('mm', 'onedl', 'torch'))]
    assert 'License-File: LICENSE' in lines
