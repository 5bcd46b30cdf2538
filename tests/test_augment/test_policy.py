"""AugmentPolicy: names, bounds, physical values, JSON in and out, errors."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tst_mm.augment import AugmentPolicy, LearnedAugmenter
from tst_mm.augment.operators import DEFAULT_OPERATORS

from .helpers import LEARNED, operator

#: Physical value at magnitude 1 and at the start of the policy (magnitude 0.5).
PHYSICAL = {
    'Brightness': (0.9, 0.45),
    'Color': (0.9, 0.45),
    'Contrast': (0.9, 0.45),
    'Sharpness': (0.9, 0.45),
    'Posterize': (4.0, 6.0),
    'Solarize': (0.0, 128.0),
    'ShearX': (0.3, 0.15),
    'ShearY': (0.3, 0.15),
    'TranslateX': (150 / 331, 75 / 331),
    'TranslateY': (150 / 331, 75 / 331),
    'Rotate': (30.0, 15.0),
}


def policy(names=DEFAULT_OPERATORS, init=None):
    return AugmentPolicy([operator(name) for name in names], init)


def test_twenty_five_scalars_start_at_the_operators_rates():
    start = policy()
    assert start.names == DEFAULT_OPERATORS
    assert [parameter.numel() for parameter in start.parameters()] == [14, 11]
    seldom = ('Invert', 'Cutout')
    rates = torch.tensor([0.1 if name in seldom else 0.8 for name in start.names])
    assert torch.allclose(start.rates(), rates)
    expected = torch.tensor([0.5 if name in LEARNED else 1.0 for name in start.names])
    assert torch.equal(start.magnitudes(), expected)


def test_physical_values():
    start, full = policy().summary(), policy(init={'magnitude': 1.0}).summary()
    for name, (at_one, at_start) in PHYSICAL.items():
        assert operator(name).physical(1.0) == pytest.approx(at_one)
        assert start[name]['physical'] == pytest.approx(at_start)
        assert full[name]['physical'] == pytest.approx(at_one)
    assert [name for name, entry in start.items() if entry['magnitude'] is None] == [
        'Equalize',
        'Invert',
        'Cutout',
    ]
    assert start['Rotate']['unit'] == 'degrees'


def test_rates_and_magnitudes_reach_all_of_zero_to_one():
    moved = policy()
    for end, value in ((-torch.inf, 0.0), (torch.inf, 1.0)):
        for parameter in moved.parameters():
            torch.nn.init.constant_(parameter, end)
        torch.testing.assert_close(moved.rates(), torch.full((14,), value), atol=1e-6, rtol=0)
        learned = moved.magnitudes()[list(moved.learned)]
        torch.testing.assert_close(learned, torch.full((11,), value), atol=1e-6, rtol=0)


def test_the_policy_is_set_and_not_trained():
    assert not any(parameter.requires_grad for parameter in policy().parameters())


@given(logits=st.lists(st.floats(-9, 9), min_size=25, max_size=25))
@settings(max_examples=25, deadline=None)
def test_json_round_trip(logits):
    source, target = policy(), policy()
    with torch.no_grad():
        source.probability_logits.copy_(torch.tensor(logits[:14]))
        source.magnitude_tilts.copy_(torch.tensor(logits[14:]))
    target.from_dict(json.loads(json.dumps(source.to_dict())))
    torch.testing.assert_close(target.rates(), source.rates(), atol=1e-6, rtol=0)
    torch.testing.assert_close(target.magnitudes(), source.magnitudes(), atol=1e-6, rtol=0)
    assert target.to_dict().keys() == {'version', 'operators'}


def test_init_from_a_file(tmp_path):
    source = policy(init={'rate': {'Invert': 0.125}, 'magnitude': 0.75})
    path = tmp_path / 'policy.json'
    path.write_text(json.dumps(source.to_dict()))
    for init in (path, str(path)):
        loaded = policy(init=init)
        assert torch.allclose(loaded.rates(), source.rates(), atol=1e-6)
        assert torch.allclose(loaded.magnitudes(), source.magnitudes(), atol=1e-6)


def test_operators_that_a_file_does_not_name_keep_theirs():
    loaded = policy(init={'rate': 0.2})
    loaded.from_dict({'version': 1, 'operators': [{'name': 'Rotate', 'rate': 0.9}]})
    rates = dict(zip(loaded.names, loaded.rates().tolist(), strict=True))
    assert rates.pop('Rotate') == pytest.approx(0.9)
    assert all(rate == pytest.approx(0.2) for rate in rates.values())
    assert loaded.summary()['Rotate']['magnitude'] == 0.5


@pytest.mark.parametrize('end', [0, 1])
def test_the_ends(end):
    """Magnitudes are exact; rates keep a finite logit, from which evidence can move them."""
    extreme = policy(init={'rate': end, 'magnitude': end})
    assert torch.equal(extreme.magnitudes()[:11], torch.full((11,), float(end)))
    assert (extreme.sample_magnitudes(torch.rand(9, 14))[:, :11] == end).all()
    assert extreme.probability_logits.isfinite().all()
    assert torch.allclose(extreme.rates(), torch.tensor(float(end)), atol=2e-4)
    again = policy()
    again.load_state_dict(extreme.state_dict())
    again.from_dict(json.loads(json.dumps(again.to_dict())))
    assert torch.equal(again.magnitude_tilts, extreme.magnitude_tilts)


def test_without_learned_magnitudes():
    bare = policy(['Invert', 'Cutout'])
    assert bare.magnitude_tilts.numel() == 0
    assert torch.equal(bare.sample_magnitudes(torch.rand(3, 2)), torch.ones(3, 2))
    assert torch.equal(bare.magnitudes(), torch.ones(2))
    assert bare.summary()['Cutout']['physical'] == 0.5


def test_stays_on_the_host():
    model = torch.nn.ModuleList([policy(), torch.nn.Linear(1, 1)]).to('meta')
    assert model[1].weight.device.type == 'meta'
    assert model[0].rates().device.type == model[0].magnitudes().device.type == 'cpu'


@pytest.mark.parametrize(
    ('init', 'error', 'words'),
    [
        ({'rates': 0.5}, KeyError, ["'rates'", "did you mean 'rate'", 'magnitude']),
        ({'rate': {'Rotat': 0.5}}, KeyError, ["'Rotat'", "did you mean 'Rotate'", 'Cutout']),
        ({'magnitude': {'Invert': 0.5}}, KeyError, ["magnitude of 'Invert'", 'Brightness']),
        ({'rate': {'Rotate': 1.5}}, ValueError, ['rate of Rotate', '1.5', '0 to 1']),
        ({'rate': float('nan')}, ValueError, ['rate of Brightness', 'nan', '0 to 1']),
        ({'magnitude': '0.5'}, ValueError, ["'0.5'", 'a number']),
        ({'rate': True}, ValueError, ['True', 'a number']),
        (0.5, ValueError, ['init', '0.5', 'path of a policy file']),
    ],
)
def test_wrong_init(init, error, words):
    with pytest.raises(error) as caught:
        policy(init=init)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('{"version"', ['broken.json', 'not JSON']),
        ('[]', ['version None', 'allowed: 1, 2']),
        ('{"version": 3, "operators": []}', ['version 3', 'allowed: 1, 2']),
        ('{"version": 1}', ['"operators"']),
        ('{"version": 1, "operators": [{"name": "Rotate"}]}', ['name and rate']),
    ],
)
def test_broken_file(tmp_path, content, words):
    path = tmp_path / 'broken.json'
    path.write_text(content)
    with pytest.raises(ValueError) as caught:
        policy(init=path)
    assert all(word in str(caught.value) for word in words)


def test_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match='no_such_policy.json'):
        policy(init='no_such_policy.json')


def test_a_policy_learned_with_another_range_is_refused():
    wide = LearnedAugmenter(ranges={'Rotate': 60}).policy
    with pytest.raises(ValueError, match=r'range 60.0 of Rotate, this augmenter has 30.0'):
        LearnedAugmenter().policy.from_dict(wide.to_dict())
    LearnedAugmenter(ranges={'Rotate': 60}).policy.from_dict(wide.to_dict())
