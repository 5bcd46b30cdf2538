"""Recipes on the libraries' own configs: hooks are kept, the pair is built and planned."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from tst_mm.registry import MODELS

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
    assert config.model.teacher.checkpoint.startswith('https://download.openmmlab.com/')


@pytest.mark.configs
@pytest.mark.slow
@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_the_pair_is_planned(path):
    """Whole networks; only the checkpoints stay where they are."""
    import mmdet.models  # noqa: F401
    import mmpretrain.models  # noqa: F401
    import mmseg.models  # noqa: F401

    config = Config.fromfile(path)
    config.model.teacher.checkpoint = 'random'
    scope = config.default_scope
    if 'cfg_path' not in config.model.student:
        config.model.student.setdefault('_scope_', scope)
    if 'data_preprocessor' in config:
        config.model.setdefault('data_preprocessor', config.data_preprocessor)
    model = MODELS.build(config.model)
    names = list(model.distiller.distill_losses)
    assert names and all(name.startswith('loss_') for name in names)
