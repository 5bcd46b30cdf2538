"""What `pip install .` puts into an environment."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest
from test_datasets.test_layouts import trees


@pytest.fixture(scope='module')
def distribution(root, tmp_path_factory):
    """The source distribution, unpacked; made from a copy, so that no build folder is left."""
    source = tmp_path_factory.mktemp('source')
    for path in root.iterdir():
        if path.is_file() and not path.name.startswith('.'):
            shutil.copy(path, source)
    ignore = shutil.ignore_patterns('__pycache__')
    for name in ('requirements', 'tst_mm', 'configs', 'tools'):
        shutil.copytree(root / name, source / name, symlinks=True, ignore=ignore)
    run(source, 'setup.py', '-q', 'sdist')
    (path,) = source.glob('dist/*.tar.gz')
    with tarfile.open(path) as archive:
        archive.extractall(source / 'unpacked', filter='data')
    (unpacked,) = (source / 'unpacked').iterdir()
    return unpacked


@pytest.fixture(scope='module')
def wheel(distribution, tmp_path_factory):
    """The wheel that is built from the source distribution."""
    out = tmp_path_factory.mktemp('wheel')
    options = ['--quiet', '--no-deps', '--no-build-isolation', '--disable-pip-version-check']
    run(distribution, '-m', 'pip', 'wheel', *options, '-w', str(out), '.')
    (path,) = out.glob('*.whl')
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope='module')
def tst(wheel, tmp_path_factory):
    """The command of the wheel, in an environment that has the libraries and nothing of the clone.

    It runs in an empty folder; ``run(folder, ...)`` gives exit code and output.
    """
    place = tmp_path_factory.mktemp('fresh')
    run(place, '-m', 'venv', '--without-pip', 'env')
    python = place / 'env' / 'bin' / 'python'
    options = ['--quiet', '--no-deps', '--no-index', '--disable-pip-version-check']
    run(place, '-m', 'pip', '--python', str(python), 'install', *options, wheel.filename)
    (packages,) = (place / 'env').glob('lib/python*/site-packages')
    (packages / 'libraries.pth').write_text(sysconfig.get_paths()['purelib'] + '\n')
    environment = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'PYTHONHOME')}
    environment |= {'OMP_NUM_THREADS': '1', 'MPLBACKEND': 'Agg'}

    def call(folder, *words):
        done = subprocess.run(
            [python.with_name('tst'), *map(str, words)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
        )
        return done.returncode, done.stdout + done.stderr

    return call


def run(folder, *arguments):
    """Run Python in a folder; return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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


def test_extras_are_what_the_libraries_of_a_task_import(wheel, root):
    (name,) = (name for name in wheel.namelist() if name.endswith('/METADATA'))
    extras = {}
    for line in wheel.read(name).decode().splitlines():
        if found := re.match(r'Requires-Dist: (\S+?)\s*;.*extra == [\'"](\w+)[\'"]', line):
            extras.setdefault(found[2], set()).add(found[1])
    assert set(extras) == {'det', 'seg', 'cls', 'all'}
    assert extras['det'] & extras['seg'] & extras['cls'] == {
        'addict', 'joblib', 'opencv-python-headless<5', 'ordered-set', 'pyyaml', 'regex',
        'termcolor', 'yapf',
    }  # fmt: skip
    assert 'pycocotools' in extras['det'] and 'ftfy' in extras['seg'] and 'einops' in extras['cls']
    lines = (root / 'requirements' / 'optional.txt').read_text().splitlines()
    assert extras['all'] == {line for line in lines if not line.startswith('#')}


def test_a_source_distribution_is_a_source_of_everything(distribution, wheel):
    assert re.fullmatch(r'\d+\.\d+\.\d+\n', run(distribution, 'setup.py', '--version'))
    for name in ('Makefile', 'requirements/mminstall.txt', 'configs/demo', 'tools/dist_train.sh'):
        assert (distribution / name).exists(), name


def test_the_command_of_the_wheel(tst, tmp_path):
    code, out = tst(tmp_path, 'info')
    assert code == 0, out
    assert '/env/lib/python' in out.splitlines()[0] and 'device ' in out
    code, out = tst(tmp_path, 'demo', '--help')
    assert code == 0 and 'tst demo --seeds 3' in out
    assert not list(tmp_path.iterdir())
    code, out = tst(tmp_path, 'check', 'data', trees.coco(tmp_path / 'data'))
    assert code == 0 and (tmp_path / 'data_check.png').is_file(), out


#: What makes a step small.
_SMALL = [
    *(
        f'{split}_dataloader.{key}'
        for split in ('train', 'val', 'test')
        for key in ('num_workers=0', 'persistent_workers=False', 'batch_size=2')
    ),
    'train_dataloader.dataset.pipeline.1.scale=64',
    'train_cfg.max_epochs=1',
]


@pytest.mark.slow
def test_one_line_from_an_empty_folder(tst, tmp_path):
    """To the end, its page included."""
    address = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
    trees.images_by_class(tmp_path / 'data')
    line = ['distill', address, '--teacher', address, '--checkpoint', 'random', '--data', 'data']
    code, out = tst(tmp_path, *line, '--work-dir', 'run', '--cfg-options', *_SMALL)
    assert code == 0 and 'student: run/student_epoch_1.pth' in out, out[-3000:]
    assert (tmp_path / 'run' / 'report.html').is_file()
    assert {path.name for path in tmp_path.iterdir()} == {'data', 'run'}
