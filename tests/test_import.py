"""Importing the package: light, quiet, and independent of the task libraries."""

import subprocess
import sys

import tst_mm

TASK_LIBRARIES = ('mmdet', 'mmseg', 'mmpretrain', 'mmrazor')


def run(code):
    """Run code in a fresh interpreter and return what it printed."""
    command = [sys.executable, '-W', 'error::UserWarning', '-c', code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
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


def test_classification_needs_neither_mmdet_nor_mmseg_nor_figures_matplotlib():
    run(
        'import sys\n'
        'sys.modules.update(mmdet=None, mmseg=None)\n'  # import of either raises ImportError
        'import tst_mm.visualization as figures\n'
        "assert set(figures.__all__) <= set(dir(figures)) and 'matplotlib' not in sys.modules\n"
        "assert figures.plot_policy and 'matplotlib' in sys.modules\n"
        'import tst_mm\n'
        'from tst_mm.registry import MODELS, HOOKS\n'
        "for name in ('LearnedAugmenter', 'ClassificationDistiller'):\n"
        "    assert MODELS.get('tst_mm.' + name) is not None, name\n"
        "assert HOOKS.get('tst_mm.AlternatingScheduleHook') is not None\n"
    )
