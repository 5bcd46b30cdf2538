"""What images are worth: the bounded weakness, the objectives, their scales."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.registry import MODELS
from tst_mm.search import (
    ConfidenceObjective,
    DisagreementObjective,
    Losses,
    Objective,
    TeachingObjective,
    bounded_weakness,
)


def losses(teacher=(1.0, 2.0), student=(0.5, 3.0), distillation=(4.0, 5.0)):
    return Losses(
        {'loss': torch.tensor(teacher)},
        {'loss': torch.tensor(student)},
        {'loss_kd': torch.tensor(distillation)},
    )


def test_weakness_of_log_two():
    log2 = torch.tensor(math.log(2), dtype=torch.float64)
    assert float(bounded_weakness(log2)) == pytest.approx(math.log(2))
    assert float(bounded_weakness(5 * log2, 5.0)) == pytest.approx(5 * math.log(2))


def test_weakness_of_a_cross_entropy_is_the_papers():
    p = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    assert torch.allclose(bounded_weakness(-p.log()), -(1 - p).log())


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('scale', [0.0, 1e-3, 1.0, 30.0])
def test_weakness_is_finite_everywhere(dtype, scale):
    loss = torch.tensor([-1.0, 0.0, 1e-9, 1.0, 100.0, 1e6], dtype=dtype)
    found = bounded_weakness(loss, scale)
    assert found.isfinite().all() and (found >= 0).all() and found.dtype == dtype


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0.1, 50))
def test_weakness_falls(one, other, scale):
    low, high = sorted((one, other))
    low, high = bounded_weakness(torch.tensor([low, high], dtype=torch.float64), scale)
    assert high <= low


@given(st.floats(1e-3, 50), st.floats(0.1, 50))
def test_weakness_has_the_unit_of_the_loss(loss, scale):
    loss = torch.tensor(loss, dtype=torch.float64)
    found = bounded_weakness(scale * loss, scale)
    assert float(found) == pytest.approx(float(scale * bounded_weakness(loss)), rel=1e-6)


def test_teaching_objective():
    objective = TeachingObjective(teacher_weight=2.0, student_weight=3.0)
    judged = objective.judge(losses())
    assert torch.equal(judged.teacher, torch.tensor([1.0, 2.0]))
    assert torch.allclose(judged.student, bounded_weakness(torch.tensor([0.5, 3.0])))
    assert torch.allclose(judged.objective, 2 * judged.teacher + 3 * judged.student)


def test_each_loss_of_the_student_has_its_scale():
    """A loss of 30 and one of 0.1 weigh alike, relative to their running means."""
    objective = TeachingObjective()
    student = {'large': torch.tensor([30.0, 15.0]), 'small': torch.tensor([0.1, 0.05])}
    objective.update({name: values[:1] for name, values in student.items()})
    parts = [
        objective.weakness(Losses({}, {name: values}, {})) / objective.scales[name]
        for name, values in student.items()
    ]
    assert torch.allclose(*parts)
    both = objective.weakness(Losses({}, student, {}))
    assert torch.allclose(both, 30 * parts[0].float() + 0.1 * parts[1].float())


def test_of_a_cross_entropy_j_is_that_the_teacher_is_right_and_the_student_wrong():
    """Minus the logarithm of p_teacher (1 - p_student), whatever the running means are."""
    objective = TeachingObjective()
    objective.update({'loss': torch.tensor(0.1)})
    teacher, student = torch.tensor([0.9, 0.2]), torch.tensor([0.6, 0.3])
    losses = [{'loss': -torch.log(p)} for p in (teacher, student)]
    found = objective.judge(Losses(*losses, {}, {'loss': 1.0})).objective
    assert torch.allclose(found, -torch.log(teacher * (1 - student)))
    assert not torch.allclose(found, objective.judge(Losses(*losses, {})).objective)


def test_scales_are_running_means_of_what_are_numbers():
    objective = TeachingObjective()
    objective.update({'loss': torch.tensor([torch.nan, torch.inf])})
    assert float(objective.scales['loss']) == 1  # nothing is known yet
    objective.update({'loss': torch.tensor([11.0, torch.nan])})
    assert float(objective.scales['loss']) == pytest.approx(2)
    objective.update({'loss': torch.tensor(torch.nan)})
    assert float(objective.scales['loss']) == pytest.approx(2)


@pytest.mark.parametrize('kind', [TeachingObjective, ConfidenceObjective])
@pytest.mark.parametrize('loss', [0.31, 1.0, 3.1, 31.0])
def test_a_larger_loss_is_weaker_before_any_scale_is_known(kind, loss):
    """Also from one call to the next, where the loss passes the middle between powers of ten."""
    objective = kind()
    found = [
        float(objective.weakness(Losses({}, {'loss': torch.tensor([value])}, {})))
        for value in (0.9 * loss, 1.1 * loss, 1.3 * loss)
    ]
    assert found[0] > found[1] > found[2]


def test_disagreement_is_what_is_left_to_learn():
    objective = DisagreementObjective(student_weight=0.5)
    assert objective.needs_distillation
    judged = objective.judge(losses())
    assert torch.equal(judged.student, torch.tensor([-4.0, -5.0]))
    assert torch.equal(judged.objective, torch.tensor([1.0 - 2.0, 2.0 - 2.5]))


def test_own_objective_in_ten_lines():
    @MODELS.register_module(force=True)
    class Margin(Objective):
        def weakness(self, losses):
            return -sum(losses.student.values())

    objective = MODELS.build({'type': 'tst_mm.Margin', 'student_weight': 2.0})
    assert torch.equal(objective.judge(losses()).objective, torch.tensor([0.0, -4.0]))
    assert repr(objective) == 'Margin(teacher_weight=1.0, student_weight=2.0)'


def test_objective_without_weakness():
    with pytest.raises(NotImplementedError, match='Objective must define weakness'):
        Objective().judge(losses())


def test_model_without_losses():
    with pytest.raises(ValueError, match='a model returned no loss'):
        TeachingObjective().judge(Losses({}, {}, {}))


def test_state_round_trip():
    one, other = TeachingObjective(), TeachingObjective()
    one.update({'a': torch.tensor([2.0, 4.0]), 'b': torch.tensor(0.1)})
    other.load_state_dict(one.state_dict())
    for objective in (one, other):
        objective.update({'a': torch.tensor(7.0)})
    assert one.scales.keys() == other.scales.keys()
    assert all(torch.equal(one.scales[name], other.scales[name]) for name in one.scales)


@pytest.mark.parametrize('value', [-1, math.nan, math.inf, True, '1', None])
def test_weights_out_of_range(value):
    with pytest.raises(ValueError, match='student_weight is .*; allowed: 0 or more'):
        TeachingObjective(student_weight=value)


def test_confidence_is_the_difference_of_probabilities():
    """Of a cross entropy at scale 1; a step by which both fail is worth less than one of two."""
    objective = ConfidenceObjective()
    sure, doubtful, lost = torch.tensor([0.9, 0.5, 0.1])

    def judge(teacher, student):
        values = {'loss': -torch.log(student)[None]}, {'loss': -torch.log(teacher)[None]}
        objective.scales['total'] = torch.tensor(1.0)
        return float(objective.judge(Losses(values[1], values[0], {})).objective)

    assert judge(sure, doubtful) == pytest.approx(0.5 - 0.9)
    assert judge(sure, lost) < judge(sure, doubtful) < judge(lost, lost) == pytest.approx(0)
    # What destroys the label for both is no lesson: worse than leaving the image as it is.
    assert judge(lost, lost) > judge(sure, doubtful)


def test_confidence_does_not_depend_on_the_unit_of_the_losses():
    values = torch.rand(50)
    teacher, student = {'a': values, 'b': values.flip(0)}, {'a': 2 * values, 'b': values}
    found = []
    for unit in (1.0, 300.0):
        objective = ConfidenceObjective()
        scaled = [{k: unit * v for k, v in part.items()} for part in (teacher, student)]
        objective.update(scaled[1])
        found.append(objective.judge(Losses(*scaled, {})))
    torch.testing.assert_close(found[0].objective, found[1].objective)
    torch.testing.assert_close(found[0].student, found[1].student)
    assert (found[0].student >= 0).all() and (found[0].student <= 1).all()
