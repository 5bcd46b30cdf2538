"""Our configs and components outside of the clone: other libraries' own scripts, other projects."""

import importlib.util
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

import tst_mm
from tst_mm.models.build import build_model

INSTALLED = Path(tst_mm.__file__).parent / '.mim' / 'configs'
#: Library: a demo config, and what cuts it to a few steps.
DEMOS = {
    'mmpretrain': (
        'classification_tst.py',
        [
            'train_cfg.max_epochs=2',
            'train_dataloader.batch_size=8',
            'train_dataloader.dataset.indices=24',
            'custom_hooks.0.stages.count=1',
            'custom_hooks.0.stages.share=0.5',
            'default_hooks.checkpoint.interval=1',
            'val_dataloader.dataset.indices=20',
            'train_cfg.val_interval=2',
        ],
    ),
    'mmseg': ('pspnet_tst.py', []),
}
_DENSE = [
    'train_cfg.max_iters=2',
    'train_cfg.val_interval=2',
    'train_dataloader.batch_size=2',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'custom_hooks.0.stages.count=1',
    'custom_hooks.0.stages.share=0.1',
    'default_hooks.checkpoint.interval=2',
    'param_scheduler.0.end=1',
    'param_scheduler.1.begin=1',
]


@pytest.fixture(scope='module')
def scenes(root, tmp_path_factory):
    """A folder with ``data/composed_coco`` and ``data/composed_cityscapes`` in it."""
    folder = tmp_path_factory.mktemp('scenes')
    main = runpy.run_path(str(root / 'tools/data/composed_scenes.py'))['main']
    for form in ('coco', 'cityscapes'):
        out = f'{folder}/data/composed_{form}'
        main(['--format', form, '--train', '4', '--val', '2', '--out', out])
    return folder


def script(library) -> Path:
    """A library's own training script, in its installed package."""
    (folder,) = importlib.util.find_spec(library).submodule_search_locations
    return Path(folder) / '.mim' / 'tools' / 'train.py'


def run(folder, *command):
    """Run Python in a folder; the copy of tst_mm that is tested is on the path."""
    path = os.pathsep.join(
        [str(Path(tst_mm.__file__).parents[1]), os.environ.get('PYTHONPATH', '')]
    )
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': path},
        capture_output=True,
        text=True,
        timeout=280,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize('library', DEMOS)
def test_a_librarys_own_script_runs_our_demo(library, scenes, tmp_path):
    name, options = DEMOS[library]
    config, work = INSTALLED / 'demo' / name, tmp_path / 'run'
    options = ['model.teacher.checkpoint=random', *(options or _DENSE)]
    (tmp_path / 'data').symlink_to(scenes / 'data')
    run(tmp_path, script(library), config, '--work-dir', work, '--cfg-options', *options)
    assert list(work.glob('student_*.pth')) and (work / 'policy.json').is_file()
    assert {path.name for path in tmp_path.iterdir()} == {'data', 'run'}


@pytest.mark.slow
def test_another_project_inherits_a_config_and_uses_a_found_policy(root, scenes, tmp_path):
    """A plain mmdet config with LearnedAugment in its pipeline, by mmdet's own script."""
    policy = tst_mm.registry.MODELS.build({'type': 'tst_mm.LearnedAugmenter'}).policy
    (tmp_path / 'policy.json').write_text(json.dumps(policy.to_dict()))
    (tmp_path / 'data').symlink_to(scenes / 'data')
    (tmp_path / 'mine.py').write_text(
        """
_base_ = ['tst_mm::demo/retinanet_plain.py']
train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    dataset=dict(
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='tst_mm.LearnedAugment', policy='policy.json'),
            dict(type='PackDetInputs'),
        ]
    ),
)
train_cfg = dict(max_iters=2, val_interval=2)
param_scheduler = []
default_hooks = dict(_delete_=True, checkpoint=dict(type='CheckpointHook', by_epoch=False))
custom_hooks = []
"""
    )
    run(tmp_path, '-m', 'tst_mm', script('mmdet'), 'mine.py', '--work-dir', 'run')
    assert (tmp_path / 'run' / 'iter_2.pth').is_file()


@pytest.mark.parametrize('name', ['demo/classification_tst.py', 'demo/pspnet_kd.py'])
def test_address_is_the_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.py').write_text(f"_base_ = ['tst_mm::{name}']\n")
    expected = Config.fromfile(INSTALLED / name).to_dict()
    assert get_config(f'tst_mm::{name}').to_dict() == expected
    assert Config.fromfile(tmp_path / 'mine.py').to_dict() == expected


def test_teachers_of_the_demos_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    configs = sorted((INSTALLED / 'demo').glob('*_kd.py'))
    assert len(configs) >= 4
    for config in configs:
        path = Config.fromfile(config).model.teacher.cfg_path
        assert path.startswith('tst_mm::demo/')
        assert build_model('teacher', {'cfg_path': path}) is not None


def test_pspnet_base_is_that_of_mmseg():
    """Written out for other scripts' sake; it must not drift."""
    own = Config.fromfile(INSTALLED / '_base_/models/pspnet_r50-d8.py').model.to_dict()
    theirs = get_config('mmseg::_base_/models/pspnet_r50-d8.py').model.to_dict()
    assert without_library(own) == theirs


def without_library(node):
    if isinstance(node, dict):
        return {key: without_library(value) for key, value in node.items() if key != '_scope_'}
    return re.sub(r'^mmseg\.', '', node) if isinstance(node, str) else node


def test_launcher_names_a_script_that_is_not_there(tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'tst_mm', 'none.py'],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(Path(tst_mm.__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "usage: python -m tst_mm SCRIPT [ARGUMENTS]; no script 'none.py'" in done.stderr
