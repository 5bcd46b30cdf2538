"""Effects in a linear world, J = c + sum a_n e_n + noise, against truth and numpy's lstsq."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.search import FactorialExperiment

#: Operators: two with a magnitude, two without.
VARIES = [True, True, False, False]
MAIN = torch.tensor([0.8, 0.0, -0.5, 0.2], dtype=torch.float64)
SLOPE = torch.tensor([0.6, 0.0, 0.0, 0.0], dtype=torch.float64)
RATES = torch.tensor([0.5, 0.3, 0.7, 0.2], dtype=torch.float64)


def world(generator, count, groups=1, spread=1.0, rates=RATES):
    """Draws and objectives of a linear world whose groups have constants of their own."""
    size = len(VARIES)
    options = {'generator': generator, 'dtype': torch.float64}
    gates = (torch.rand(count, size, **options) < rates).double()
    magnitudes = torch.where(torch.tensor(VARIES), torch.rand(count, size, **options), 1.0)
    index = torch.arange(count) % groups
    constants = 5 * torch.randn(groups, **options)
    noise = spread * torch.randn(count, **options)
    values = constants[index] + gates @ MAIN + (gates * (magnitudes - 0.5)) @ SLOPE + noise
    return gates, magnitudes, values, index


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def lstsq(gates, magnitudes, values, index):
    """Effects by numpy, with one dummy a group; slopes of those that have one."""
    deviation = (gates * (magnitudes - 0.5))[:, torch.tensor(VARIES)]
    dummies = torch.nn.functional.one_hot(index).double()
    design = torch.cat((gates, deviation, dummies), dim=1).numpy()
    found, squares, rank, _ = np.linalg.lstsq(design, values.numpy(), rcond=None)
    variance = squares[0] / (len(design) - rank)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    return found[:6], errors[:6], variance**0.5


def flat(main, slope):
    return torch.cat((main, slope[torch.tensor(VARIES)])).numpy()


@pytest.mark.parametrize('groups', [1, 25])
def test_without_forgetting_it_is_ordinary_least_squares(groups):
    parts = [world(generator(i), 100, groups) for i in range(3)]
    experiment = FactorialExperiment(VARIES)
    for part in parts:
        experiment.forget()
        experiment.observe(*part)
    effects = experiment.effects()
    # Each call has groups of its own.
    index = torch.cat([part[3] + groups * i for i, part in enumerate(parts)])
    joined = [torch.cat(tensors) for tensors in zip(*(part[:3] for part in parts), strict=True)]
    found, errors, spread = lstsq(*joined, index)
    assert flat(effects.main, effects.slope) == pytest.approx(found, rel=1e-9, abs=1e-12)
    assert flat(effects.main_error, effects.slope_error) == pytest.approx(errors, rel=1e-9)
    assert effects.spread == pytest.approx(spread, rel=1e-9)
    assert effects.count == 300
    # Operators without a magnitude have no slope.
    assert not effects.slope[2:].any() and effects.slope_error[2:].isinf().all()


def search(seed, forgetting, groups, images):
    """A simulated search of three stages; its effects."""
    draws, experiment = generator(seed), FactorialExperiment(VARIES, forgetting)
    for count in (60, 40, 40):
        experiment.forget()
        gates, magnitudes, values, index = world(draws, count * images, groups)
        if images > 1:  # a batch of images of one operator set each is the observation

            def mean(rows, count=count):
                return rows.view(count, images, -1).mean(1)

            acting = mean(gates)
            magnitudes = mean(gates * magnitudes) / acting.clamp(min=1e-9)
            gates, values, index = acting, mean(values)[:, 0], None
        experiment.observe(gates, magnitudes, values, index, images=images)
    return experiment.effects()


@pytest.mark.parametrize(
    ('forgetting', 'groups', 'images'),
    [(1.0, 1, 1), (1.0, 20, 1), (0.5, 1, 1), (0.5, 10, 1), (0.7, 1, 8)],
)
def test_estimates_are_unbiased_and_intervals_cover(forgetting, groups, images):
    """1,000 searches: means within 5 of their errors, and 93 to 97 % of the intervals hold."""
    searches = [search(seed, forgetting, groups, images) for seed in range(1000)]
    truth = torch.tensor(flat(MAIN, SLOPE))
    found = torch.stack([torch.tensor(flat(e.main, e.slope)) for e in searches])
    errors = torch.stack([torch.tensor(flat(e.main_error, e.slope_error)) for e in searches])
    error_of_mean = found.std(0) / 1000**0.5
    assert ((found.mean(0) - truth).abs() < 5 * error_of_mean).all()
    covered = ((found - truth).abs() <= 1.96 * errors).double().mean(0)
    assert covered.mean() == pytest.approx(0.95, abs=0.02)
    assert ((covered > 0.92) & (covered < 0.98)).all()
    # The spread is that of one image, whatever the observation and its weight.
    spreads = torch.tensor([e.spread for e in searches], dtype=torch.float64)
    assert spreads.square().mean() == pytest.approx(1, abs=0.03)


def test_earlier_stages_count_less():
    """A world that changes: with forgetting the estimate is nearer to what it is now."""
    results = {}
    for forgetting in (1.0, 0.1):
        experiment = FactorialExperiment([False], forgetting)
        for effect in (1.0, -1.0):
            experiment.forget()
            gates = torch.tensor([[0.0], [1.0]] * 50)
            experiment.observe(gates, torch.ones_like(gates), effect * gates[:, 0])
        results[forgetting] = float(experiment.effects().main)
    assert results[1.0] == pytest.approx(0)
    assert results[0.1] == pytest.approx(-0.9 / 1.1)


def test_parts_of_ranks_add_up():
    gates, magnitudes, values, index = world(generator(), 90, groups=30)
    whole = FactorialExperiment(VARIES)
    whole.observe(gates, magnitudes, values, index)
    merged = FactorialExperiment(VARIES)
    for rank in (0, 1):
        mine = index % 2 == rank
        part = FactorialExperiment(VARIES)
        part.observe(gates[mine], magnitudes[mine], values[mine], index[mine])
        merged.merge(part.state_dict())
    for name in ('main', 'main_error', 'slope', 'slope_error'):
        assert torch.allclose(getattr(merged.effects(), name), getattr(whole.effects(), name))


def test_no_observation_is_no_knowledge():
    effects = FactorialExperiment(VARIES).effects()
    assert not effects.main.any() and not effects.slope.any()
    assert effects.main_error.isinf().all() and effects.slope_error.isinf().all()
    assert (effects.spread, effects.count) == (0, 0)
    assert not effects.known().any()


def test_what_is_no_number_is_left_out():
    gates, magnitudes, values, index = world(generator(), 80, groups=20)
    bad = torch.zeros(80, dtype=torch.bool)
    bad[[3, 40, 77]] = True
    clean, dirty = FactorialExperiment(VARIES), FactorialExperiment(VARIES)
    clean.observe(gates[~bad], magnitudes[~bad], values[~bad], index[~bad])
    values[bad] = torch.tensor([torch.nan, torch.inf, -torch.inf], dtype=torch.float64)
    dirty.observe(gates, magnitudes, values, index)
    dirty.observe(gates[bad], magnitudes[bad], values[bad])  # nothing is left
    assert dirty.state_dict().keys() == clean.state_dict().keys()
    for name, value in clean.state_dict().items():
        assert torch.equal(dirty.state_dict()[name], value), name


@pytest.mark.parametrize('rate', [0.0, 1.0])
def test_operator_that_never_or_always_acts(rate):
    rates = RATES.clone()
    rates[3] = rate
    gates, magnitudes, values, index = world(generator(), 400, rates=rates)
    experiment = FactorialExperiment(VARIES)
    experiment.observe(gates, magnitudes, values, index)
    effects = experiment.effects()
    assert effects.main[3] == 0 and effects.main_error[3].isinf()
    # The others are known all the same.
    assert (effects.main[:3] - MAIN[:3]).abs().lt(4 * effects.main_error[:3]).all()
    assert effects.main_error[:3].isfinite().all()


def test_operators_that_always_act_together():
    """Only the sum of their effects is known: it is shared out and counts as unknown."""
    gates, magnitudes, values, index = world(generator(), 400, spread=0.1)
    values = values - gates[:, 3] * MAIN[3] + gates[:, 2] * MAIN[3]
    gates[:, 3] = gates[:, 2]
    experiment = FactorialExperiment(VARIES)
    experiment.observe(gates, magnitudes, values, index)
    effects = experiment.effects()
    assert effects.main[2] == pytest.approx(float(effects.main[3]))
    assert float(effects.main[2:].sum()) == pytest.approx(-0.3, abs=0.05)
    assert effects.main_error[2:].isinf().all()
    assert effects.known().tolist() == [True, False, False, False]


def test_fewer_observations_than_operators():
    gates, magnitudes, values, index = world(generator(), 4)
    experiment = FactorialExperiment(VARIES)
    experiment.observe(gates, magnitudes, values, index)
    effects = experiment.effects()
    assert effects.main.isfinite().all() and effects.main_error.isinf().all()


@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-100, 100))
def test_units_and_constants_of_the_objective(seed, unit, constant):
    """Effects, errors and spread are in the objective's unit; its constant takes no part."""
    gates, magnitudes, values, index = world(generator(seed), 60, groups=4)
    found = []
    for objective in (values, unit * values + constant):
        experiment = FactorialExperiment(VARIES)
        experiment.observe(gates, magnitudes, objective, index)
        found.append(experiment.effects())
    one, other = found
    assert torch.allclose(other.main, unit * one.main, rtol=1e-6, atol=1e-8)
    assert torch.allclose(other.main_error, unit * one.main_error, rtol=1e-6)
    assert other.spread == pytest.approx(unit * one.spread, rel=1e-6)


def test_state_round_trip_is_exact():
    experiment = FactorialExperiment(VARIES, 0.5)
    experiment.observe(*world(generator(), 50, groups=5))
    state = experiment.state_dict()
    kept = {name: value.clone() for name, value in state.items()}
    other = FactorialExperiment(VARIES, 0.5)
    other.load_state_dict(state)
    for one in (experiment, other):
        one.forget()
        one.observe(*world(generator(1), 50, groups=5))
    for name, value in experiment.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
        assert torch.equal(state[name], kept[name])  # it was not written into


def test_state_of_another_number_of_operators():
    with pytest.raises(ValueError, match='no xx of shape .8, 8.; allowed: that of 4 operators'):
        FactorialExperiment(VARIES).load_state_dict(FactorialExperiment([True]).state_dict())


@pytest.mark.parametrize('value', [0, 1.5, -1, True, '1', None])
def test_forgetting_out_of_range(value):
    with pytest.raises(ValueError, match='forgetting is .*; allowed: above 0, at most 1'):
        FactorialExperiment([True], value)
