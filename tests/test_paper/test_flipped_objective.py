"""The augmenter's objective in closed form, through mmpretrain's own losses."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from test_models.helpers import classifier
from torch import Tensor, nn

from tst_mm.paper import FlippedObjective, GradientSearch
from tst_mm.registry import MODELS

from .helpers import distiller

LABEL = torch.tensor([0])


class Network(nn.Module):
    """A network that is nothing but a loss."""

    def __init__(self, kind: str = 'mmpretrain.CrossEntropyLoss', **options) -> None:
        super().__init__()
        self.loss_module = MODELS.build({'type': kind, **options})

    def forward(self, logits: Tensor, target: Tensor = LABEL) -> Tensor:
        return self.loss_module(logits, target)


def logits_of(p: float) -> Tensor:
    """Logits of two classes that give the first the probability p."""
    return torch.tensor([[p, 1 - p]], dtype=torch.double).log().requires_grad_()


def value_of(
    teacher: Tensor,
    student: Tensor,
    target: Tensor = LABEL,
    network: nn.Module | None = None,
    **options,
) -> Tensor:
    """The objective of teacher and student logits."""
    network = network or Network()
    objective = FlippedObjective(**options)
    objective.prepare(network)
    strength = network(teacher, target)
    weakness = objective.flipped_weakness(lambda: network(student, target))
    return objective.teacher_weight * strength + objective.student_weight * weakness


@pytest.mark.parametrize(
    ('p_teacher', 'p_student', 'value'),
    [(0.5, 0.5, 1.3863), (0.9, 0.1, 0.2107), (0.1, 0.9, 4.6052)],
)
def test_values(p_teacher, p_student, value):
    loss = value_of(logits_of(p_teacher), logits_of(p_student))
    assert loss.item() == pytest.approx(value, abs=5e-5)


def test_gradients():
    teacher = torch.randn(1, 5, dtype=torch.double, requires_grad=True)
    student = torch.randn(1, 5, dtype=torch.double, requires_grad=True)
    value_of(teacher, student).backward()
    p_t, p_s = (z.detach().softmax(1)[0] for z in (teacher, student))
    expected = p_t - F.one_hot(LABEL, 5)[0]
    torch.testing.assert_close(teacher.grad[0], expected)
    expected = -p_s[0] * p_s / (1 - p_s[0])
    expected[0] = p_s[0]
    torch.testing.assert_close(student.grad[0], expected, rtol=1e-6, atol=1e-7)


@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=8),
    st.integers(0, 7),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_a_student_equal_to_its_teacher_cannot_be_exploited(logits, label, dtype):
    """No image scores below 2 log 2 when both answer alike."""
    z = torch.tensor([logits], dtype=dtype)
    value = value_of(z, z, torch.tensor([label % len(logits)]))
    assert value.item() >= 2 * math.log(2) - 1e-5


def test_one_hot_soft_label_is_a_hard_label():
    teacher, student, labels = torch.randn(6, 5), torch.randn(6, 5), torch.arange(6) % 5
    hard = value_of(teacher, student, labels)
    soft = value_of(teacher, student, F.one_hot(labels, 5).float(), Network(use_soft=True))
    torch.testing.assert_close(soft, hard)


def test_uniform_teacher_trap():
    """The reference makes every class of a soft label true: a uniform teacher is then the best."""
    target = torch.full((1, 1000), 0.1 / 1000)
    target[0, 0] += 0.9
    uniform = torch.zeros(1, 1000)
    sure = uniform.clone()
    sure[0, 0] = 12.0
    student = torch.randn(1, 1000)

    def strength(teacher):
        return value_of(teacher, student, target, Network(use_soft=True), student_weight=0.0).item()

    def reference(teacher):
        return -teacher.log_softmax(1)[target > 0].mean().item()

    assert strength(uniform) == pytest.approx(6.9078, abs=1e-4)
    assert strength(sure) < 2
    assert reference(uniform) == pytest.approx(6.9078, abs=1e-4)
    assert reference(sure) > reference(uniform)


def test_weights():
    teacher, student = logits_of(0.7), logits_of(0.6)
    value = value_of(teacher, student, teacher_weight=0.5, student_weight=3.0)
    assert value.item() == pytest.approx(-0.5 * math.log(0.7) - 3 * math.log(0.4), abs=1e-6)


def test_difference_is_capped():
    for p, expected in ((0.5, -math.log(2)), (0.1, -math.log(10)), (1e-3, -4.0)):
        student = logits_of(p)
        value = value_of(logits_of(0.5), student, form='difference', teacher_weight=0.0, cap=4.0)
        assert value.item() == pytest.approx(expected, abs=1e-6)
        value.backward()
        assert student.grad.any() == (p > math.exp(-4))  # nothing to gain beyond the cap


def test_a_loss_above_the_cap_is_told_once(monkeypatch):
    """It has no gradient, so the student has no say in the policy."""
    told = []
    monkeypatch.setattr('tst_mm.paper.flipped_objective.print_log', lambda *args: told.append(args))
    objective = FlippedObjective(form='difference', cap=4.0)
    for loss, count in ((3.9, 0), (4.1, 1), (30.0, 1)):
        value = objective.flipped_weakness(lambda loss=loss: torch.tensor(loss))
        assert value.item() == pytest.approx(-min(loss, 4.0))
        assert len(told) == count
    assert 'the student, 4.1, is above the cap of 4' in told[0][0] and 'larger cap' in told[0][0]


def test_difference_needs_no_flip():
    network = Network('mmpretrain.SeesawLoss', num_classes=2)
    FlippedObjective(form='difference').prepare(network)
    with pytest.raises(TypeError, match='SeesawLoss'):
        FlippedObjective().prepare(network)


def test_losses_of_a_real_classifier_are_found():
    model = MODELS.build(classifier())
    objective = FlippedObjective()
    objective.prepare(model)
    loss, logits = model.head.loss_module, torch.randn(3, 4)
    target = torch.tensor([0, 1, 2])
    value = objective.flipped_weakness(lambda: loss(logits, target))
    p = logits.softmax(1)[range(3), target]
    assert value.item() == pytest.approx(-(1 - p).log().mean().item(), abs=1e-5)
    assert loss(logits, target).item() == pytest.approx(-p.log().mean().item(), abs=1e-5)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'form': 'fliped'}, "form is 'fliped'; did you mean 'flipped'"),
        ({'teacher_weight': -1}, 'teacher_weight is -1; allowed: 0 or more'),
        ({'student_weight': -0.1}, 'student_weight is -0.1'),
        ({'cap': float('nan')}, 'cap is nan'),
        ({'boxes': 'negate'}, "boxes is 'negate'; did you mean 'negated'"),
        ({'averaging': 'mean'}, "averaging is 'mean'; allowed: own, elements"),
        ({'preset': 'papr'}, "preset of FlippedObjective is 'papr'; did you mean 'paper'"),
    ],
)
def test_wrong_values(options, message):
    with pytest.raises(ValueError, match=message):
        FlippedObjective(**options)


def test_unknown_key():
    with pytest.raises(TypeError, match='teacher_wieght'):
        MODELS.build({'type': 'tst_mm.FlippedObjective', 'teacher_wieght': 1})


def test_it_prints_what_it_is():
    assert repr(FlippedObjective(cap=3)) == (
        "FlippedObjective(teacher_weight=1.0, student_weight=1.0, form='flipped', cap=3, "
        "boxes='bounded', averaging='own')"
    )


def test_the_search_refuses_a_loss_that_would_not_be_flipped():
    """What only scores, as the measuring search does, needs no flip."""
    model = distiller()
    model.student.head.add_module('loss_own', nn.Identity())
    model.objective.prepare(model.student)
    with pytest.raises(TypeError, match="'head.loss_own' is a Identity, which has no flipped form"):
        GradientSearch().check(model)
    model.objective.form = 'difference'
    GradientSearch().check(model)
