"""Recipes on the libraries' own configs: hooks are kept, the pair is built and planned."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from tst_mm.engine.dry_run import dry_run

from .cut_recipe import IMAGES, cut_data
from .recipe_data import write_all

RECIPES = sorted((Path(__file__).parents[2] / 'configs' / 'recipes').glob('*.py'))


def base_of(path):
    """The library's config that a recipe starts from."""
    (line,) = (line for line in path.read_text().splitlines() if line.startswith('_base_'))
    return get_config(line.split("'")[1])


def plain(node):
    """Without the scopes that inheriting from a library writes into dictionaries."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items() if key != '_scope_'}
    return [plain(part) for part in node] if isinstance(node, (list, tuple)) else node


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_nothing_of_the_base_config_is_lost(path):
    config, base = Config.fromfile(path), base_of(path)
    *kept, schedule = config.custom_hooks
    assert plain(kept) == plain(base.get('custom_hooks', []))
    assert schedule['type'] == 'tst_mm.AlternatingScheduleHook'
    for key in ('optim_wrapper', 'train_dataloader', 'param_scheduler', 'train_cfg'):
        assert plain(config[key]) == plain(base[key]), key
    hooks = plain(config.default_hooks)
    assert {**hooks, **plain(base.default_hooks)} == hooks
    host = 'github.com/huggingface/' if 'timm' in path.stem else 'download.openmmlab.com/'
    assert config.model.teacher.checkpoint.startswith(f'https://{host}')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Folders of tiny data sets, by words in the names of recipes."""
    return write_all(tmp_path_factory.mktemp('data'), IMAGES)


@pytest.fixture
def one_step_each(monkeypatch):
    """A dry run does one step of each kind in place of two; the second is for the clock only."""

    def one(loader, step):
        step(next(iter(loader)))
        return 1.0

    monkeypatch.setattr('tst_mm.engine.dry_run._seconds_a_step', one)


@pytest.mark.configs
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings('ignore')  # of the libraries, about sizes that are cut
@pytest.mark.usefixtures('panopticapi', 'one_step_each')
@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_dry_run(path, data, tmp_path):
    """Whole networks on small images; only the checkpoints stay where they are.

    What a stage leaves unchanged is checked in small, where every recipe trains.
    """
    if 'timm' in path.stem:
        pytest.importorskip('timm')
    (root,) = {data[word] for word in data if word in path.stem}
    side = 224 if 'swin-b' in path.stem else 96  # Swin's windows fill images of 224 pixels
    config = cut_data(Config.fromfile(path), root, str(tmp_path), side)
    config.custom_hooks[-1].search = dict(draws=2)  # half as many copies as by default
    checks = ['range', 'labels', 'distillation']
    config.custom_hooks.append(dict(type='tst_mm.FirstBatchHook', checks=checks))
    report = dry_run(config)
    for words in ('labels: ', 'distillation: loss_', 'student step', 'augmenter step'):
        assert words in report
