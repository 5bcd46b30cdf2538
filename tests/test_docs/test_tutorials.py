"""The tutorials, from top to bottom: every command and every block, on few images."""

import os
import re
import runpy
import shlex
import sys

import forked
import pytest
from PIL import Image

from test_docs.pages import DOCS, ROOT, fences
from tst_mm.cli.app import main

_STEPS = [
    'train_cfg.max_iters=2',
    'train_cfg.val_interval=2',
    'param_scheduler.0.end=1',
    'param_scheduler.1.begin=1',
    'default_hooks.checkpoint.interval=2',
    'train_dataloader.batch_size=2',
]
#: An eighth of the width of the networks on a page.
_NARROW = ['backbone.base_channels=8', 'head.in_channels=64']
_SCENES = {'--train 100 --val 40': '--train 6 --val 2', 'iter_500': 'iter_2'}
#: What a page's words become, so that a test is over soon, and the options of a training.
TUTORIALS = {
    'tutorial_classification.md': (
        {'PER_CLASS = 60': 'PER_CLASS = 2', 'max_epochs=20': 'max_epochs=1', 'epoch_20': 'epoch_1'},
        _NARROW,
    ),
    'tutorial_detection.md': (_SCENES, _STEPS),
    'tutorial_segmentation.md': (_SCENES, _STEPS),
}


def lines(page, words):
    """Python blocks and commands in the order of the page."""
    for language, text in fences(page):
        for old, new in words.items():
            text = text.replace(old, new)
        if language == 'python':
            yield 'python', text
        elif language == '':
            for line in text.replace('\\\n', ' ').splitlines():
                yield shlex.split(line)[0], line


def shortened(words, options):
    """A command with the options of a short training."""
    kinds = {'distill': ['--cfg-options', '--teacher-options'], 'train': ['--cfg-options']}
    for key in kinds.get(words[0], []):
        of_student = words[0] == 'distill' and key == '--cfg-options'
        model = 'model.student.' if of_student else 'model.'
        more = [model + option if option in _NARROW else option for option in options]
        if key in words:
            words[words.index(key) + 1 : words.index(key) + 1] = more
        elif key == '--cfg-options' or '--train-teacher' in words or options is _NARROW:
            words += [key, *more]
    return words


def run_tool(monkeypatch, words):
    monkeypatch.setattr(sys, 'argv', words[1:])
    runpy.run_path(str(ROOT / words[1]), run_name='__main__')


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize('name', TUTORIALS)
def test_from_top_to_bottom(name, tmp_path, monkeypatch):
    words, options = TUTORIALS[name]
    forked.use(monkeypatch.setattr)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]))
    for program, line in lines(DOCS / name, words):
        if program == 'python' and '\n' in line:
            exec(compile(line, 'block', 'exec'), {})
        elif program == 'python':
            run_tool(monkeypatch, shlex.split(line))
        else:
            assert program == 'tst', line
            assert main(shortened(shlex.split(line)[1:], options)) == 0, line
    with Image.open('data_check.png') as picture:
        assert picture.width > 800
    runs = sorted(path.name for path in (tmp_path / 'work_dirs').iterdir() if path.is_dir())
    (whole,) = {re.sub('_(alone|kd)$', '', run) for run in runs} - {'student'}
    for run in (whole, f'{whole}_kd'):
        assert list((tmp_path / 'work_dirs' / run).glob('student_*.pth')), run
    assert (tmp_path / 'work_dirs' / whole / 'report.html').is_file()
    assert not (tmp_path / 'work_dirs' / f'{whole}_kd' / 'policy.json').exists()
