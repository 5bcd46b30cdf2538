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


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_nothing_of_the_base_config_is_lost(path):
    config, base = Config.fromfile(path), base_of(path)
    hooks = base.get('custom_hooks', [])
    assert config.custom_hooks[: len(hooks)] == hooks
    assert config.custom_hooks[-1]['type'] == 'tst_mm.AlternatingScheduleHook'
    assert base.default_hooks.items() <= config.default_hooks.items()
    assert config.optim_wrapper == base.optim_wrapper
    assert config.train_dataloader == base.train_dataloader
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
