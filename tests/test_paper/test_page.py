"""The page on the published form: its blocks do what they say."""

from copy import deepcopy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from test_docs.test_customise import grey_batch, of
from test_engine.toy import STUDENT, toy_config
from test_models.helpers import policy_of, policy_optimizer

from tst_mm.paper import flip
from tst_mm.paper.flip import find_losses, flipped
from tst_mm.registry import HOOKS, MODELS

from .helpers import augmenter_step, distiller


@pytest.fixture(autouse=True)
def _flips_of_the_page_alone(monkeypatch):
    monkeypatch.setattr(flip, '_FLIPS', dict(flip._FLIPS))


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
