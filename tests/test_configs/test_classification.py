"""Every classification config runs both kinds of steps; see cut_classifier.py for what is cut."""

import importlib.util
import json
import socket
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.runner import Runner

from tst_mm.engine.schedule.stages import parse_stages, resolve_stages
from tst_mm.registry import MODELS

from .cut_classifier import ROOT, cut_classification
from .tiny_data import write_cifar100, write_imagenet

CONFIGS = ROOT / 'configs' / 'classification'
LEAVES = {path.stem: path for path in CONFIGS.glob('*.py')}
CIFAR = '1xb128-240e_cifar100'
ONE_PAIR = f'resnet32x4_resnet8x4_{CIFAR}'  # has the ablations and the other baselines

#: Teacher and student: learning rate, begins of the augmenter stages, epochs of each (method, 6).
PAIRS = {
    'wrn-40-2_wrn-16-2': (0.1, [30, 90], 30),
    'wrn-40-2_wrn-40-1': (0.05, [30, 90], 10),
    'resnet56_resnet20': (0.1, [30, 90], 30),
    'resnet110_resnet20': (0.1, [30, 90], 1),
    'resnet110_resnet32': (0.1, [30, 90], 30),
    'resnet32x4_resnet8x4': (0.1, [30, 90], 30),
    'vgg13_vgg8': (0.1, list(range(32, 213, 30)), 5),
    'vgg13_mobilenet-v2': (0.1, [30, 90], 30),
    'resnet32x4_shufflenet-v1': (0.02, [30, 90], 30),
    'wrn-40-2_shufflenet-v1': (0.05, list(range(32, 213, 30)), 5),
    'wrn-40-4_wrn-16-2': (0.1, [30, 90], 30),
    'wrn-28-10_wrn-16-2': (0.1, [30, 90], 30),
}
PAIRS = {f'{pair}_{CIFAR}': values for pair, values in PAIRS.items()}
PAIRS['resnet34_resnet18_8xb32-100e_in1k'] = (0.3, [10, 25], 5)
PAIRS['resnet50_mobilenet-v1_8xb32-110e_in1k'] = (0.2, [10, 25], 5)
RECOMMENDED = {'augmenter': {'type': 'tst_mm.LearnedAugmenter'}}

pytestmark = [
    pytest.mark.configs,
    pytest.mark.filterwarnings('ignore:Unnecessary conv bias'),
]


@cache
def parse(name):
    return Config.fromfile(LEAVES[name])


def load(name):
    """A config of one's own; each file is parsed once."""
    return deepcopy(parse(name))


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """Nothing is downloaded."""

    def refuse(*args, **kwargs):
        raise AssertionError(f'a config reaches for the network: {args[1:]}')

    monkeypatch.setattr(socket.socket, 'connect', refuse)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch):
    """Teachers are named by their path from here."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Folders of the tiny data sets by type; mmpretrain's own classes read them."""
    from mmpretrain.datasets import CIFAR100

    root = tmp_path_factory.mktemp('data')
    write_cifar100(root / 'cifar100')
    write_imagenet(root / 'imagenet')
    with pytest.MonkeyPatch.context() as patch:
        for split in ('train', 'test'):  # the published checksums are not those of a tiny file
            patch.setattr(CIFAR100, f'{split}_list', [[split, None]])
        yield {'CIFAR100': str(root / 'cifar100'), 'ImageNet': str(root / 'imagenet')}


@pytest.mark.parametrize('name', sorted(LEAVES))
def test_runs(name, data, tmp_path):
    cfg = cut_classification(load(name), data, str(tmp_path))
    runner = Runner.from_cfg(cfg)
    before = {key: value.clone() for key, value in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    trained = [key for key in after if not torch.equal(before[key], after[key])]
    if name.startswith('plain'):
        assert any(key.startswith('backbone.') for key in trained)
        return
    assert any(key.startswith('student.backbone.') for key in trained)
    (student,) = tmp_path.glob('student_*.pth')
    weights = torch.load(student, weights_only=True)['state_dict']
    assert set(weights) == set(runner.model.student.state_dict())
    if name.startswith('tst'):
        check_augmenter(name, runner.model.augmenter.policy, tmp_path)


def check_augmenter(name, policy, folder):
    """One augmenter step was done, and moved what this config lets move."""
    history = json.loads((folder / 'policy.json').read_text())['history']
    assert [entry['step'] for entry in history] == [1]
    if name.startswith('tst-paper'):
        assert all(parameter.any() for parameter in policy.parameters())
    else:
        content = json.loads((folder / 'policy.json').read_text())
        assert all('effect' in entry for entry in content['operators'])


@pytest.mark.parametrize('name', sorted(LEAVES))
def test_leaf_is_short(name):
    assert len(LEAVES[name].read_text().splitlines()) <= 30


def test_every_pair_has_its_four_configs():
    for pair in PAIRS:
        student = pair.split('_', 1)[1]
        expected = {f'plain_{student}', f'kd_{pair}', f'tst_{pair}', f'tst-paper_{pair}'}
        assert expected <= set(LEAVES)
    for method in ('kd-random', 'kd-randaugment', 'kd-trivialaugment', 'tst-all', 'tst-wide'):
        assert f'{method}_{ONE_PAIR}' in LEAVES


@pytest.mark.parametrize('name', sorted(name for name in LEAVES if name.startswith('kd_')))
def test_teacher_is_known(name):
    """Its config is one of ours, with the checkpoint that it leaves, or in mmpretrain's zoo."""
    teacher = load(name).model.teacher
    if '::' not in teacher.cfg_path:
        stem = Path(teacher.cfg_path).stem
        assert stem == f'plain_{name.split("_")[1]}_{CIFAR}' and stem in LEAVES
        epochs = load(stem).train_cfg.max_epochs
        assert teacher.checkpoint == f'work_dirs/{stem}/epoch_{epochs}.pth'
        return
    path = teacher.cfg_path.removeprefix('mmpretrain::')
    (package,) = importlib.util.find_spec('mmpretrain').submodule_search_locations
    zoo = (Path(package) / '.mim/configs' / path).with_name('metafile.yml')
    entries = yaml.safe_load(zoo.read_text())['Models']
    (weights,) = (entry['Weights'] for entry in entries if entry['Config'] == f'configs/{path}')
    # The maintained fork mirrors the same files on a host of its own.
    assert weights.endswith(teacher.checkpoint.removeprefix('https://download.openmmlab.com'))


@pytest.mark.parametrize('pair', PAIRS)
def test_schedule_is_the_papers(pair):
    rate, begins, length = PAIRS[pair]
    cfg = load(f'tst-paper_{pair}')
    assert cfg.optim_wrapper.optimizer.lr == rate
    assert cfg.optim_wrapper.optimizer.weight_decay == 1e-4
    epochs = cfg.train_cfg.max_epochs
    expected = {'cifar100': (240, [150, 180, 210], 128)}.get(
        pair.rsplit('_', 1)[1], (110 if 'mobilenet' in pair else 100, [40, 70], 32)
    )
    milestones, size = cfg.param_scheduler.milestones, cfg.train_dataloader.batch_size
    assert (epochs, milestones, size) == expected
    (hook,) = cfg.custom_hooks
    stages = resolve_stages(parse_stages(hook.stages, epochs), epochs, 'epochs', 1, 1)
    assert [(stage.begin, stage.length) for stage in stages] == [(b, length) for b in begins]
    assert hook.search.type == 'tst_mm.GradientSearch'
    assert cfg.model.batch_mode == 'double'


@pytest.mark.parametrize('pair', PAIRS)
def test_weight_and_temperature_are_the_papers(pair):
    """The default of the distiller is T = 4 at weight 1."""
    cfg = load(f'kd_{pair}')
    loss = cfg.model.get('distiller', {'distill_losses': {'loss_kd': dict(tau=4, loss_weight=1)}})
    loss = loss['distill_losses']['loss_kd']
    expected = (1 if 'in1k' in pair else 4, 0.5 if 'resnet110' in pair else 1)
    assert (loss['tau'], loss['loss_weight']) == expected


@pytest.mark.parametrize('pair', PAIRS)
def test_tst_is_kd_and_the_augmenter(pair):
    """Apart from augmenter and stages, a TST config is the KD config of its pair."""
    kd = load(f'kd_{pair}').to_dict()
    for method in ('tst', 'tst-paper'):
        own = load(f'{method}_{pair}').to_dict()
        added = own.pop('paper', RECOMMENDED)
        assert ('objective' in added) == (method == 'tst-paper')
        for key, value in added.items():
            assert own['model'].pop(key) == value
        assert own.pop('custom_hooks')
        assert own == kd


@pytest.mark.parametrize('name', sorted(name for name in LEAVES if name.startswith('plain')))
def test_plain_configs_have_the_networks_of_their_names(name):
    """Parameters of the whole classifier are the literature's (see the tests of backbones)."""
    from test_models.test_backbones.test_literature import LITERATURE

    cfg = load(name)
    kind = name.split('_')[1]
    # ResNet-18 is mmpretrain's: torchvision's count.
    expected = 11_689_512 if kind == 'resnet18' else LITERATURE[kind][0]
    model = MODELS.build({**cfg.model, '_scope_': 'mmpretrain'})
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


def test_baselines_see_as_many_images_as_tst():
    """2 x 128 images a step and 391 steps an epoch: every image once clean, once augmented."""
    for name in ('kd-randaugment', 'kd-trivialaugment'):
        cfg = load(f'{name}_{ONE_PAIR}')
        loader = cfg.train_dataloader
        clean, augmented = loader.dataset.datasets
        assert cfg.auto_scale_lr.base_batch_size == 256
        assert loader.batch_size == 256 and loader.dataset.type == 'ConcatDataset'
        kinds = [transform.type for transform in augmented.pipeline]
        assert kinds == ['RandomCrop', 'RandomFlip', 'RandAugment', 'PackInputs']
        assert [t.type for t in clean.pipeline] == ['RandomCrop', 'RandomFlip', 'PackInputs']
    assert augmented.pipeline[2].num_policies == 1 and augmented.pipeline[2].magnitude_std == 'inf'
