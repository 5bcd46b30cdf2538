"""What the documentation shows, works."""

import json
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from test_visualization.conftest import make_policy

from test_docs.pages import PAGES, ROOT, blocks, side
from tst_mm.registry import HOOKS, MODELS, TRANSFORMS


def of(name):
    return pytest.mark.parametrize('page_space', [ROOT / name], indirect=True, ids=[name])


@of('docs/customise_augmenter.md')
def test_own_operators_are_drawn_and_are_the_identity_at_level_zero(page_space, capsys):
    policy = page_space['built'].policy
    assert policy.names[-2:] == ('Gamma', 'Stretch')
    assert policy.operators[-1].limit == 0.5
    images = torch.rand(3, 3, 8, 8)
    level = torch.zeros(3, 1, 1, 1)
    torch.testing.assert_close(policy.operators[-2].apply(images, level, None), images)
    extents = torch.tensor([[8.0, 8.0]]).expand(3, 2)
    eye = policy.operators[-1].matrix(level.flatten(), extents)
    assert torch.equal(eye, torch.eye(3).expand(3, 3, 3))


@of('docs/customise_augmenter.md')
def test_the_example_in_words_is_what_is_printed(page_space):
    from tst_mm.augment.draw import describe_operator

    gamma, zoom = page_space['built'].operators[-2:]
    words = f'{describe_operator(gamma, -0.5)}, {describe_operator(zoom, 0.5)}'
    assert words in (ROOT / 'docs' / 'customise_augmenter.md').read_text(encoding='utf-8')


@of('docs/customise_augmenter.md')
def test_the_gentle_policy_builds(page_space):
    policy = MODELS.build(page_space['gentle']).policy
    assert policy.summary()['Rotate']['rate'] == pytest.approx(0.2, abs=1e-3)


@of('docs/policy_format.md')
def test_the_policy_file_that_is_shown_is_one(page_space):
    page = ROOT / 'docs' / 'policy_format.md'
    (policy,) = map(json.loads, blocks(page, 'json'))
    for schedule in (False, True):
        TRANSFORMS.build({**page_space['augment'], 'policy': policy, 'schedule': schedule})
    for hook in page_space['custom_hooks']:
        HOOKS.build(hook)


@of('docs/how_it_works.md')
def test_the_schedule_builds(page_space):
    for hook in page_space['custom_hooks']:
        HOOKS.build(hook)


@of('docs/guarantees.md')
def test_the_teacher_check_builds(page_space):
    for hook in page_space['custom_hooks']:
        HOOKS.build(hook)


@of('docs/reports.md')
def test_the_report_hook_builds_and_the_notebook_draws(page_space, tmp_path):
    schedule, report = (HOOKS.build(hook) for hook in page_space['custom_hooks'])
    assert (report.images, report.batches, report.interval) == (12, 8, None)
    (tmp_path / 'policy.json').write_text(json.dumps(make_policy()))
    assert page_space['draw'](tmp_path).axes


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r'\]\(([^)#]+)(?:#[^)]*)?\)', page.read_text(encoding='utf-8')):
        if not target.startswith('http'):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    pattern = r'`((?:configs|tools|docs|tst_mm)/[\w/.]+\.\w+)`'
    for path in re.findall(pattern, page.read_text(encoding='utf-8')):
        assert (ROOT / path).exists(), path


def test_the_migrated_configuration_of_the_readme_trains():
    (diff,) = (block for block in blocks(ROOT / 'README.md', 'diff') if 'mmrazor' in block)
    config = Config.fromstring(side(diff, '-'), '.py')
    for hook in config.custom_hooks:
        HOOKS.build(hook)
    init_default_scope('mmpretrain')
    config.model.teacher.checkpoint = 'random'
    model = MODELS.build(config.model)
    from mmpretrain.structures import DataSample

    samples = [DataSample().set_gt_label(i) for i in range(2)]
    losses = model(torch.randn(2, 3, 32, 32), samples, mode='loss')
    assert set(losses) == {'loss', 'loss_kl'}


def test_the_demo_differs_from_distillation_by_what_the_readme_shows():
    (diff,) = (block for block in blocks(ROOT / 'README.md', 'diff') if 'kd.py' in block)
    shown = [line[1:] for line in diff.splitlines() if line.startswith('+')]
    config = (ROOT / 'configs/demo/classification_tst.py').read_text(encoding='utf-8')
    assert '\n'.join(shown) in config


def test_the_results_of_the_readme_are_those_of_its_record():
    """The table in the README is the one that the demo wrote."""
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    record = json.loads((ROOT / 'docs' / 'images' / 'classification.json').read_text())
    assert record['command'] in readme and record['commit'] in readme
    for name, results in record['results'].items():
        mean = sum(result['metric'] for result in results) / len(results)
        assert f'{mean:.1f}' in readme, name


def test_the_dense_configuration_is_one():
    (block,) = blocks(ROOT / 'docs' / 'dense.md', 'python')
    config = Config.fromstring(block, '.py')
    assert config.model.student.type == 'RetinaNet'
    assert config.train_cfg.max_epochs == 24 and config.val_evaluator.type == 'CocoMetric'
    for hook in (*config.custom_hooks, config.default_hooks.student):
        HOOKS.build(hook)


def test_the_dense_configuration_keeps_the_hooks_of_the_one_it_starts_from():
    (block,) = blocks(ROOT / 'docs' / 'dense.md', 'python')
    own = 'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py'
    config = Config.fromstring(re.sub(r'_base_ = \[.*?\]', f"_base_ = ['{own}']", block), '.py')
    *kept, schedule = [hook.type for hook in config.custom_hooks]
    assert kept == ['YOLOXModeSwitchHook', 'SyncNormHook', 'EMAHook']
    assert schedule == 'tst_mm.AlternatingScheduleHook'


def test_the_hooks_that_are_promised_exist():
    text = (ROOT / 'docs' / 'guarantees.md').read_text(encoding='utf-8')
    for config in re.findall(r"`(dict\(type='tst_mm\..*?\))`", text):
        HOOKS.build(eval(config))
    for name in set(re.findall(r'`(\w+Hook)`', text)):
        assert HOOKS.get(name) or HOOKS.get(f'mmengine.{name}'), name
