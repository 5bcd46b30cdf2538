"""``docs/models.md``: its plan is one, its recipes are there."""

from mmengine.config import Config
from test_models.dense import detector
from torch import nn

from tst_mm.models.distillers.planner import Plan

from .pages import DOCS, ROOT, blocks

PAGE = DOCS / 'models.md'


def test_the_plan_is_one():
    code = next(block for block in blocks(PAGE, 'python') if 'plan=dict' in block)
    plan = Config.fromstring(code.replace('# ...', ''), '.py').model.plan
    assert set(Plan(plan, nn.Identity(), nn.Identity()).choices) == {
        'logits',
        'features',
        'levels',
        'activation',
    }
    assert detector('retinanet').neck.num_outs > max(max(pair) for pair in plan.levels)


def test_hooks_are_added():
    code = next(block for block in blocks(PAGE, 'python') if 'custom_hooks' in block)
    recipes = list((ROOT / 'configs' / 'recipes').glob('*.py'))
    assert len(recipes) == 15
    for recipe in recipes:
        assert code.strip() in recipe.read_text()
