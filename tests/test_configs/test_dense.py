"""Every detection and segmentation config runs both kinds of steps; see cut.py for what is cut."""

import importlib.util
import json
import socket
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

from tst_mm.engine.schedule.stages import parse_stages, resolve_stages

from .cut import cut_config
from .tiny_data import write_cityscapes, write_coco

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
LEAVES = {
    path.stem: path
    for task in ('detection', 'segmentation')
    for path in (CONFIGS / task).glob('*.py')
}
TEACHERS = [name for name in LEAVES if name.startswith('kd_')]
STAGED = [name for name in LEAVES if name.startswith('tst')]

pytestmark = pytest.mark.configs


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """Nothing is downloaded."""

    def refuse(*args, **kwargs):
        raise AssertionError(f'a config reaches for the network: {args[1:]}')

    monkeypatch.setattr(socket.socket, 'connect', refuse)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Folders of the tiny data sets by default scope."""
    root = tmp_path_factory.mktemp('data')
    write_coco(root / 'coco')
    write_cityscapes(root / 'cityscapes')
    return {'mmdet': f'{root}/coco/', 'mmseg': f'{root}/cityscapes/'}


@pytest.mark.parametrize('name', sorted(LEAVES))
def test_runs(name, data, tmp_path):
    cfg = Config.fromfile(LEAVES[name])
    runner = Runner.from_cfg(cut_config(cfg, data[cfg.default_scope], str(tmp_path)))
    before = {key: value.clone() for key, value in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    if name.startswith('plain'):
        return
    trained = [key for key in after if not torch.equal(before[key], after[key])]
    assert any(key.startswith('student.') for key in trained)
    (student,) = tmp_path.glob('student_*.pth')
    weights = torch.load(student, weights_only=True)['state_dict']
    assert set(weights) == set(runner.model.student.state_dict())
    if name.startswith('tst'):
        policy = json.loads((tmp_path / 'policy.json').read_text())
        assert [entry['step'] for entry in policy['history']] == [1]
        if name.startswith('tst-paper'):
            assert runner.model.augmenter.policy.probability_logits.any()
        else:
            # One step is too little evidence to move a rate, but it is evidence.
            assert all('effect' in entry for entry in policy['operators'])
            assert any(entry['effect'] for entry in policy['operators'])
    else:
        assert runner.model.augmenter is None


@pytest.mark.parametrize('name', sorted(LEAVES))
def test_leaf_is_short(name):
    assert len(LEAVES[name].read_text().splitlines()) <= 30


@pytest.mark.parametrize('name', sorted(TEACHERS))
def test_teacher_is_in_the_zoo(name):
    """Config and weights of the teacher stand together in the installed library's zoo."""
    teacher = Config.fromfile(LEAVES[name]).model.teacher
    library, _, path = teacher.cfg_path.partition('::')
    (package,) = importlib.util.find_spec(library).submodule_search_locations
    zoo = next((Path(package) / '.mim/configs' / path).parent.glob('metafile.y*ml'))
    content = yaml.safe_load(zoo.read_text())
    entries = content['Models'] if isinstance(content, dict) else content
    (weights,) = (entry['Weights'] for entry in entries if entry['Config'] == f'configs/{path}')
    # The maintained fork mirrors the same files on a host of its own.
    host = 'https://download.openmmlab.com/'
    assert teacher.checkpoint.startswith(host)
    assert weights.endswith('/' + teacher.checkpoint.removeprefix(host))


@pytest.mark.parametrize('name', sorted(n for n in STAGED if n.startswith('tst-paper')))
def test_stages_of_the_paper_lie_inside_training(name):
    cfg = Config.fromfile(LEAVES[name])
    (hook,) = cfg.custom_hooks
    per_epoch = 186 if cfg.default_scope == 'mmseg' else 7330  # at 16 images a step
    end = cfg.train_cfg.get('max_epochs') or cfg.train_cfg.max_iters
    if hook.by_epoch and 'max_iters' in cfg.train_cfg:
        end /= per_epoch
    unit = per_epoch if hook.by_epoch else 1
    stages = resolve_stages(parse_stages(hook.stages, end), end, 'units', unit, unit)
    begins = [stage.begin // unit for stage in stages]
    steps = sum(stage.length for stage in stages)
    expected = {
        'mmdet': ([6, 12], 2 * 7330),
        'mmseg': ([0, 6, 12], 3 * 186),
    }
    assert (begins, steps) == expected[cfg.default_scope]


@pytest.mark.parametrize('name', sorted(STAGED))
def test_tst_is_kd_and_the_augmenter(name):
    """Apart from augmenter and stages, a TST config is the KD config of its name."""
    own = Config.fromfile(LEAVES[name]).to_dict()
    own['model'].pop('distiller', None)  # two show other distillation losses
    method, pair = name.split('_', 1)
    kd = 'kd-mimic' if 'mimic' in method else 'kd'
    paper = own.pop('paper', {'augmenter': {'type': 'tst_mm.LearnedAugmenter'}})
    assert ('objective' in paper) == method.startswith('tst-paper')
    for key, value in paper.items():
        assert own['model'].pop(key) == value
    assert own.pop('custom_hooks')
    assert own == Config.fromfile(LEAVES[f'{kd}_{pair}']).to_dict()
