"""Steps of two ranks beside those of one process on the same batch."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from distributed.world import run

from . import models_of_ranks as models

pytestmark = pytest.mark.distributed

#: Draws the operator with a magnitude for the images of the second rank, the other for the first.
LONE_SEED = 52
TASKS = ['classifier', 'multilabel', 'retinanet', 'fcos', 'faster_rcnn', 'pspnet']


def alternate(kind: str, boxes: bool = True) -> dict[str, Any]:
    """Two steps of each kind: DDP complains of unused parameters in the step after."""
    model = models.build(kind)
    models.replay(kind, model)
    wrapped = models.wrap(model)
    student, gradients = models.optimizer(wrapped.parameters(), 0.01)
    policy = list(model.augmenter.policy.parameters())
    # The flip of a focal loss balances the anchors of a rank, so FCOS's policy would drift apart.
    augmenter, policy_gradients = models.optimizer(policy, 0.0 if kind == 'fcos' else 0.1)
    losses, augmenter_losses, policies = [], [], []
    for _ in range(2):
        data = models.batch(kind, boxes)
        augmenter_losses.append(model.objective.step(model, data, augmenter))
        policies.append(torch.cat(policy).detach().clone())
        losses.append(wrapped.train_step(data, student))
    return {
        'losses': losses,
        'gradients': gradients,
        'weights': {name: value.detach() for name, value in model.named_parameters()},
        'wrapped': [name for name, _ in wrapped.named_parameters()],
        'augmenter_losses': augmenter_losses,
        'policy_gradients': policy_gradients,
        'policies': policies,
    }


@cache
def outcomes(kind: str, boxes: bool = True, alone: bool = True) -> tuple[dict[str, Any], ...]:
    """Of the two ranks and of one process."""
    ranks = run(alternate, kind, boxes)
    return (*ranks, *run(alternate, kind, boxes, ranks=1)) if alone else tuple(ranks)


def assert_student_steps_agree(*outcomes: dict[str, Any]) -> None:
    """Mean losses, gradients and weights of the ranks are those of one process."""
    *ranks, alone = outcomes
    for step, expected in enumerate(alone['losses']):
        assert ranks[0]['losses'][step].keys() == expected.keys()
        for name in (name for name in expected if 'loss' in name):
            value = expected[name]
            mean = sum(torch.as_tensor(rank['losses'][step][name]) for rank in ranks) / len(ranks)
            torch.testing.assert_close(mean, torch.as_tensor(value), rtol=1e-5, atol=1e-5)
    for rank in ranks:
        torch.testing.assert_close(rank['gradients'], alone['gradients'], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(rank['weights'], alone['weights'], rtol=1e-5, atol=1e-5)


def assert_ranks_are_identical(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Weights, policies and what is logged of the augmenter, bit for bit."""
    for name in ('weights', 'policies', 'policy_gradients', 'augmenter_losses'):
        torch.testing.assert_close(second[name], first[name], rtol=0, atol=0)
    assert all(value.isfinite().all() for value in first['weights'].values())
    assert all(gradient.abs().sum() > 0 for gradient in first['policy_gradients'][0])


@pytest.mark.parametrize('kind', TASKS)
def test_student_steps_are_those_of_one_process(kind):
    assert_student_steps_agree(*outcomes(kind))


@pytest.mark.parametrize('kind', TASKS)
def test_no_distillation_loss_is_zero(kind):
    for outcome in outcomes(kind):
        distilled = [name for name in outcome['losses'][0] if 'kd' in name or 'mimic' in name]
        assert distilled
        assert all(step[name] > 1e-5 for step in outcome['losses'] for name in distilled)


@pytest.mark.parametrize('kind', TASKS)
def test_ranks_stay_identical(kind):
    assert_ranks_are_identical(*outcomes(kind)[:2])


@pytest.mark.parametrize('kind', [kind for kind in TASKS if kind != 'fcos'])
def test_augmenter_steps_are_those_of_one_process(kind):
    rank, _, alone = outcomes(kind)
    for name in ('augmenter_losses', 'policies'):
        torch.testing.assert_close(rank[name], alone[name], rtol=1e-5, atol=1e-6)
    for found, expected in zip(rank['policy_gradients'], alone['policy_gradients'], strict=True):
        found, expected = torch.cat(found), torch.cat(expected)
        scale = expected.abs().max()
        torch.testing.assert_close(found / scale, expected / scale, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('kind', ['retinanet', 'pspnet'])
def test_teacher_and_augmenter_are_outside_of_the_wrapper(kind):
    names = outcomes(kind)[0]['wrapped']
    inside = ('module.student.', 'module.distiller.connectors.')
    assert names and all(name.startswith(inside) for name in names)


def test_a_rank_without_boxes_is_like_images_without_boxes():
    assert_student_steps_agree(*outcomes('fcos', False))
    assert_ranks_are_identical(*outcomes('fcos', False)[:2])


@pytest.mark.parametrize('kind', ['retinanet', 'mask_rcnn'])
def test_a_rank_without_boxes_does_its_part(kind):
    assert_ranks_are_identical(*outcomes(kind, boxes=False, alone=False))


def lone_operators(seed: int) -> tuple[list, list]:
    """An augmenter step in which the only magnitude is drawn on some ranks only."""
    model = models.build('classifier', operators=['Invert', 'Rotate'], num_ops=1)
    models.replay('classifier', model, seed)
    optimizer, gradients = models.optimizer(model.augmenter.policy.parameters(), 0.1)
    model.objective.step(model, models.batch('classifier'), optimizer)
    acting = model.augmenter.draw([(32, 32)], relaxed=True).acted_on
    return gradients, [index is None or len(index) > 0 for index in acting]


def test_an_operator_that_acts_on_no_image_of_a_rank():
    (first, on_first), (second, on_second) = run(lone_operators, LONE_SEED)
    [(alone, _)] = run(lone_operators, LONE_SEED, ranks=1)
    assert (on_first, on_second) == ([True, False], [False, True])
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    torch.testing.assert_close(first, alone, rtol=1e-4, atol=1e-6)
    assert all(gradient.abs().sum() > 0 for gradient in first[0])
