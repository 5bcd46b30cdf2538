"""The pages on own objectives and schedules, and the answers that have code."""

import re
from copy import deepcopy
from inspect import signature

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from test_engine.toy import STUDENT, toy_config
from test_models import helpers
from test_models.helpers import batch, policy_of, policy_optimizer
from test_paper.helpers import augmenter_step, distiller

from test_docs.pages import DOCS, ROOT
from tst_mm.engine.schedule.stages import DEFAULT_STAGES
from tst_mm.paper.flip import find_losses, flipped
from tst_mm.registry import HOOKS, MODELS


def of(name):
    return pytest.mark.parametrize('page_space', [DOCS / name], indirect=True, ids=[name])


@of('paper_preset.md')
def test_own_loss_is_flipped(page_space):
    head = MODELS.build(page_space['head'])
    loss = head.loss_module
    assert list(find_losses('student', head)) == ['loss_module'] and loss.epsilon == 2
    labels = torch.arange(4)
    right = torch.nn.functional.one_hot(labels, 10) * 200.0
    wrong = right.roll(1, 0)
    for logits, low in ((right, False), (wrong, True)):
        logits.requires_grad_()
        with flipped([loss]):
            value = loss(logits, labels)
        assert (value.item() < 1e-3) == low and value.item() >= 0
        assert value.isfinite() and logits.grad is None
        (gradient,) = torch.autograd.grad(value, logits)
        assert gradient.isfinite().all() and (gradient.abs().sum() > 0.1) != low
    p = torch.tensor([[0.7, 0.2, 0.1]])
    with flipped([loss]):
        value = loss(p.log(), torch.tensor([0]))
    assert value.item() == pytest.approx(-torch.tensor(0.3).log().item() + 2 * 0.7, rel=1e-5)


def student_with(head):
    return {**deepcopy(STUDENT), 'head': head}


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


@of('paper_preset.md')
def test_own_loss_trains_the_policy_of_the_published_search(page_space):
    model = distiller(
        student=student_with(page_space['head']),
        teacher={'model': deepcopy(STUDENT), 'checkpoint': 'random'},
        **page_space['published'],
    )
    before = policy_of(model)
    losses = augmenter_step(model, grey_batch(), policy_optimizer(model))
    assert losses['loss'].isfinite() and not torch.equal(policy_of(model), before)
    for hook in page_space['custom_hooks']:
        assert type(HOOKS.build(hook).search).__name__ == 'GradientSearch'


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


@of('paper_preset.md')
def test_one_half_of_the_policy_can_learn_slower(page_space, tmp_path):
    config = toy_config(tmp_path, {'stages': []}, custom_hooks=[page_space['tuned']])
    config.custom_hooks[0].stages = [dict(begin=0, iters=1)]
    config.model.augmenter = page_space['published']['augmenter']
    runner = Runner.from_cfg(config)
    rates = []

    class Watch(Hook):
        def before_augmenter_stage(self, runner, stage):
            rates.extend(stage.optim_wrapper.get_lr()['lr'])

    runner.register_hook(Watch())
    runner.train()
    assert sorted(set(rates)) == [0.025, 0.05]


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
