"""The pages on own objectives and schedules, and the answers that have code."""

import re
from copy import deepcopy
from inspect import signature

import pytest
import torch
from mmengine.runner import Runner
from test_engine.toy import STUDENT, toy_config
from test_models import helpers
from test_models.helpers import batch

from test_docs.pages import DOCS, ROOT
from tst_mm.engine.schedule.stages import DEFAULT_STAGES
from tst_mm.registry import HOOKS, MODELS


def of(name):
    """Run the page's blocks first."""
    return pytest.mark.parametrize('page_space', [DOCS / name], indirect=True, ids=[name])


def grey_batch():
    data = batch(4, classes=10)
    data['inputs'] = [image[:1] for image in data['inputs']]
    return data


@of('customise_objective.md')
def test_own_objectives_judge_images(page_space):
    teacher = {'model': deepcopy(STUDENT), 'checkpoint': 'random'}
    named = (page_space['model']['objective'], page_space['disagreement'], page_space['objective'])
    for objective in named:
        model = helpers.distiller(student=STUDENT, teacher=teacher, objective=objective)
        scored = model.score(grey_batch(), draws=2)
        assert scored['objective'].shape == (8,) and scored['objective'].isfinite().all()
        assert type(model.objective).__name__ == objective['type'].split('.')[1]
    assert (scored['loss_student'] < 0).all()  # a saturating loss with the opposite sign


@of('customise_schedule.md')
def test_schedules_build(page_space):
    for name in ('default', 'spread', 'listed', 'periodic', 'searched', 'small', 'subset'):
        assert HOOKS.build(page_space[name]).stages
    for hook in page_space['amount']:
        HOOKS.build(hook)


@of('customise_schedule.md')
def test_defaults_are_those_that_are_shown(page_space):
    page = (DOCS / 'customise_schedule.md').read_text()
    shown = dict(re.findall(r'^\| `(\w+)` \| ([\d.]+) \|', page, re.MULTILINE))
    kinds = (HOOKS.get('AdaptiveAmountHook'), MODELS.get('MeasuringSearch'))
    defaults = {
        name: parameter.default
        for kind in kinds
        for name, parameter in signature(kind).parameters.items()
        if parameter.default is not None
    }
    assert {**defaults, **DEFAULT_STAGES} == {name: float(value) for name, value in shown.items()}


@of('customise_schedule.md')
def test_own_data_and_an_own_hook_in_a_run(page_space, tmp_path, caplog):
    config = toy_config(tmp_path, {'stages': []}, custom_hooks=page_space['custom_hooks'])
    runner = Runner.from_cfg(config)
    runner.logger.addHandler(caplog.handler)  # MMEngine's loggers have no parent
    runner.train()
    (schedule,) = (hook for hook in runner.hooks if hasattr(hook, 'schedule'))
    ((stage),) = schedule.schedule
    assert (stage.begin, stage.length) == (4, 2 * 2)  # two passes over 16 images, 8 at a time
    (doubt,) = (hook for hook in runner.hooks if type(hook).__name__ == 'TeacherDoubtHook')
    assert doubt.highest > 0.5  # a random teacher knows nothing
    assert "the teacher's loss rose to" in caplog.text


@of('faq.md')
def test_answers_with_code(page_space, tmp_path):
    for hook in page_space['custom_hooks']:
        HOOKS.build(hook)
    assert 'head.fc' in page_space['names']
    start = page_space['student']
    assert start['cfg_path'] == 'my_student.py' and start['init_cfg']['type'] == 'Pretrained'


def test_a_student_starts_from_its_file(tmp_path):
    """As the answer says, with ``init_cfg``."""
    trained = MODELS.build(STUDENT)
    torch.save({'state_dict': trained.state_dict()}, tmp_path / 'student.pth')
    config = toy_config(tmp_path, {'stages': []})
    config.model.student['init_cfg'] = dict(
        type='Pretrained', checkpoint=str(tmp_path / 'student.pth')
    )
    model = MODELS.build(config.model)
    model.init_weights()
    for name, value in trained.state_dict().items():
        assert torch.equal(value, model.student.state_dict()[name]), name
    assert (ROOT / 'docs' / 'faq.md').read_text().count('init_cfg=dict(type=') == 1
