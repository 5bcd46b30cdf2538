"""Importing the package: light, quiet, and independent of the task libraries."""

import ast
import subprocess
import sys
from pathlib import Path

import tst_mm

TASK_LIBRARIES = ('mmdet', 'mmseg', 'mmpretrain', 'mmrazor')


PACKAGE = Path(tst_mm.__file__).parent


def run(code, folder=None):
    """Run code in a fresh interpreter and return what it printed."""
    command = [sys.executable, '-W', 'error::UserWarning', '-c', code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ''
    return done.stdout


def test_version_is_the_distributions():
    from importlib.metadata import version

    assert version('tst_mm') == tst_mm.__version__


def test_import_is_light():
    heavy = ('torch', 'torchvision', 'mmcv', *TASK_LIBRARIES)
    loaded = run(f'import sys, tst_mm; print([m for m in {heavy!r} if m in sys.modules])')
    assert loaded.strip() == '[]'


def test_classification_needs_neither_mmdet_nor_mmseg():
    run(
        'import sys\n'
        'sys.modules.update(mmdet=None, mmseg=None)\n'  # import of either raises ImportError
        'import tst_mm\n'
        'from tst_mm.registry import MODELS, HOOKS\n'
        "for name in ('LearnedAugmenter', 'ClassificationDistiller'):\n"
        "    assert MODELS.get('tst_mm.' + name) is not None, name\n"
        "assert HOOKS.get('tst_mm.AlternatingScheduleHook') is not None\n"
    )


#: Stay until the search has replaced the gradient's stage there.
BORROWED = {'engine/schedule/alternating_schedule_hook.py', 'engine/schedule/augmenter_stage.py'}


def test_nothing_imports_the_published_form():
    found = set()
    for path in PACKAGE.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ''] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(f'{name}.'.startswith('tst_mm.paper.') for name in names):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert {name for name in found if not name.startswith('paper/')} <= BORROWED


def test_the_rest_works_without_the_published_form():
    run(
        'import sys\n'
        "sys.modules['tst_mm.paper'] = None\n"  # as if the folder were not there
        'import tst_mm\n'
        'from tst_mm.registry import MODELS, TRANSFORMS\n'
        'from test_models.helpers import batch, distiller, student_optimizer\n'
        'model = distiller()\n'
        "assert model.train_step(batch(), student_optimizer(model))['loss'].isfinite()\n"
        "TRANSFORMS.build(dict(type='tst_mm.LearnedAugment', policy='fashion_mnist'))\n"
        'try:\n'
        "    distiller(augmenter=dict(type='tst_mm.PaperAugmenter'))\n"
        'except KeyError as error:\n'
        "    assert 'PaperAugmenter' in str(error)\n"
        'else:\n'
        "    raise AssertionError('it is not there')\n",
        folder=PACKAGE.parent / 'tests',
    )
