"""The search on real networks whose strengths and weaknesses are planted."""

import math

import pytest
import torch

from tst_mm.search import MeasuringSearch

from .planted import batch, distiller, search

PLANTED = ('FlipX', 'FlipY', 'Grey')


def policy_of(model):
    policy = model.augmenter.policy
    return torch.cat((policy.probability_logits, policy.magnitude_tilts)).clone()


@pytest.mark.parametrize('objective', ['TeachingObjective', 'DisagreementObjective'])
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_planted_truth(seed, objective):
    """At 64 images, 4 draws each: what stands out has more than 4 times its error."""
    model = distiller(PLANTED, objective={'type': f'tst_mm.{objective}'})
    effects = search(model, seed).effects()
    nobody, student, teacher = (effects.main / effects.main_error).tolist()
    assert abs(nobody) < 2
    assert student < -4
    assert teacher > 4 or objective == 'DisagreementObjective'
    assert effects.count == 64 * 4
    rates = model.augmenter.policy.rates()
    assert rates[1] > 0.7
    if objective == 'TeachingObjective':
        assert rates[2] < 0.4
        assert abs(rates[0] - 0.5) < 0.02 or abs(nobody) > 1


@pytest.mark.parametrize('operators', ['standard', 'wide'])
def test_two_seeds_find_the_same_policy(operators):
    """Other images, other draws: the policies, less the prior, correlate by at least 0.9."""
    found = []
    for seed in (0, 1):
        model = distiller(operators, num_ops=4)
        search(model, seed, steps=16)
        found.append(model.augmenter.policy.probability_logits.clone())
    assert float(torch.corrcoef(torch.stack(found))[0, 1]) >= 0.9
    assert found[0].abs().max() > 0.5


def test_nothing_is_tilted_at_an_infinite_temperature():
    model = distiller(PLANTED)
    before = policy_of(model)
    search(model, temperature=math.inf)
    assert torch.equal(policy_of(model), before)


def test_what_is_not_known_stays_at_the_prior():
    """The prior is the policy at the start: rates and magnitudes, fixed ones too."""
    init = {
        'rate': {'FlipX': 0.3, 'FlipY': 0.0, 'Rotate': 0.2},
        'magnitude': {'Rotate': 0.25, 'ShearX': 1.0},
    }
    model = distiller((*PLANTED, 'Rotate', 'ShearX'), init=init)
    before = policy_of(model)
    found = search(model, steps=1, temperature=1e6)
    after = policy_of(model)
    assert torch.allclose(after, before, atol=1e-3)
    assert after[-1] == math.inf  # a fixed magnitude stays fixed
    assert not found.experiment.with_magnitude[4]


def test_stages_draw_at_least_every_second_time_but_for_what_never_acts():
    """So that a seldom operator is measured like the others; its rate is what it was."""
    init = {'rate': {'FlipX': 0.1, 'FlipY': 0.0, 'Grey': 0.9}}
    model = distiller(PLANTED, num_ops=3, init=init)
    drawn, score = [], model.score

    def recorded(*args):
        drawn.append(model.augmenter.policy.rates().clone())
        return score(*args)

    model.score = recorded
    found = search(model, steps=4, temperature=math.inf)
    assert drawn[0].tolist() == pytest.approx([0.5, 1e-4, 0.9], abs=1e-6)
    assert model.augmenter.policy.rates().tolist() == pytest.approx([0.1, 1e-4, 0.9], abs=1e-6)
    errors = found.effects().main_error
    assert errors[0] < 1.5 * errors[2] and errors[1] == math.inf


def test_state_goes_on_as_if_never_interrupted():
    """Inside of the second stage; what was read in between makes no difference."""
    results = []
    for interrupted in (False, True):
        model = distiller(PLANTED)
        found = search(model, forgetting=0.7)
        found.begin(model, 2, 2)
        for step in range(2):
            if interrupted and step == 1:
                state = found.state_dict()
                policy = model.augmenter.policy.state_dict()
                model = distiller(PLANTED)
                model.augmenter.policy.load_state_dict(policy)
                found = MeasuringSearch(forgetting=0.7)
                found.check(model)
                found.begin(model, 2, 2)
                found.load_state_dict(state)
            model.augmenter.reseed(9, step)
            found.step(batch(50 + step))
        found.end()
        results.append((policy_of(model), found.state_dict()))
    (policy, state), (resumed, resumed_state) = results
    assert torch.equal(resumed, policy)
    for name, value in state['sums'].items():
        assert torch.equal(resumed_state['sums'][name], value), name
    assert state['scales'].keys() == resumed_state['scales'].keys()
    for name, value in state['scales'].items():
        assert torch.equal(resumed_state['scales'][name], value)


def test_state_between_stages_is_forgotten_once():
    model = distiller(PLANTED)
    found = search(model, forgetting=0.5)
    state = found.state_dict()
    other = MeasuringSearch(forgetting=0.5)
    other.check(distiller(PLANTED))
    other.load_state_dict(state)
    assert other.evidence() == found.evidence()
    for one in (found, other):
        one.begin(one._model, 1, 1)
        assert one.effects().count == 64 * 4 / 2


def test_a_broken_image_spoils_nothing(monkeypatch):
    """A value that is no number is left out, of the effects and of the scales."""
    model = distiller(PLANTED)
    original = type(model).score

    def score(self, data, draws):
        found = original(self, data, draws)
        found['objective'][3] = torch.nan
        found['loss_student'][3] = torch.nan
        found['terms']['loss'][3] = torch.inf
        return found

    monkeypatch.setattr(type(model), 'score', score)
    found = search(model)
    effects = found.effects()
    assert effects.count == 64 * 4 - 2
    assert effects.main.isfinite().all() and effects.main[1] < -4 * effects.main_error[1]
    assert all(scale.isfinite() for scale in model.objective.scales.values())
    assert policy_of(model).isfinite().all()


def test_evidence_is_plain_and_in_units_of_the_spread():
    model = distiller((*PLANTED, 'Rotate'))
    found = search(model)
    effects, rows = found.effects(), found.evidence()
    assert [row['effect'] for row in rows] == (effects.main / effects.spread).tolist()
    assert rows[0]['slope_error'] is None and rows[3]['slope_error'] > 0
    assert found.lr() is None


def test_half_precision_finds_the_same():
    effects = []
    for precision in (None, {'dtype': torch.bfloat16}):
        other = distiller(PLANTED)
        found = MeasuringSearch()
        found.check(other)
        found.begin(other, 1, 1, precision)
        other.augmenter.reseed(0)
        found.step(batch(0))
        effects.append(found.effects().main)
    assert not torch.equal(*effects)
    assert torch.allclose(*effects, atol=0.05)


@pytest.mark.parametrize(
    ('argument', 'value'),
    [
        ('temperature', 0),
        ('temperature', True),
        ('temperature', math.nan),
        ('draws', 1),
        ('draws', 2.0),
        ('forgetting', 0),
        ('forgetting', 1.1),
    ],
)
def test_values_out_of_range(argument, value):
    with pytest.raises(ValueError, match=f'{argument} is {value!r}; allowed: '):
        MeasuringSearch(**{argument: value})
