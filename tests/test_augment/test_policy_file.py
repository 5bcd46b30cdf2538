"""Policy files: what is wrong with one is told by name, value and what is allowed."""

import copy
import json

import pytest

from tst_mm.augment import AugmentPolicy, LearnedAugmenter
from tst_mm.augment.policy_file import check_policy, magnitudes_of, read_policy
from tst_mm.registry import TRANSFORMS

GOOD = {
    'version': 2,
    'operators': [
        {'name': 'Rotate', 'rate': 0.5, 'magnitude': 0.25, 'limit': 30.0},
        {'name': 'Invert', 'rate': 1},
    ],
    'augmenter': {'num_ops': 2, 'sign': 'random', 'magnitudes': 'spread', 'fill': [1, 2, 3]},
    'provenance': {'max_iters': 10},
    'history': [{'iter': 3, 'rates': [0.1, 0.2], 'magnitudes': [0.3, 1]}],
}


def changed(path, value):
    """The good policy with one value changed; a path like ``operators.0.rate``."""
    policy = copy.deepcopy(GOOD)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split('.')]
    node = policy
    for key in parents:
        node = node[key]
    node[last] = value
    return policy


def test_good_ones_are_read(tmp_path):
    path = tmp_path / 'policy.json'
    for policy in (GOOD, {key: GOOD[key] for key in ('version', 'operators')}):
        path.write_text(json.dumps({**policy, 'remark': 'keys of others are ignored'}))
        assert read_policy(path)['operators'] == GOOD['operators']
    assert check_policy(LearnedAugmenter().policy.to_dict()) is None


def test_which_files_have_spread_magnitudes():
    assert magnitudes_of(GOOD) == magnitudes_of(without('augmenter')) == 'spread'
    assert magnitudes_of(changed('augmenter.magnitudes', 'fixed')) == 'fixed'
    assert magnitudes_of(changed('version', 1)) == 'fixed'  # as they were learned


def without(key):
    return {k: v for k, v in GOOD.items() if k != key}


@pytest.mark.parametrize('version', [1, 2])
def test_entries_may_have_more(version):
    policy = changed('version', version)
    policy['operators'][0]['effect'] = {'mean': -0.1, 'error': 0.02}
    assert check_policy(policy) is None
    AugmentPolicy(LearnedAugmenter(['Rotate', 'Invert'], num_ops=1).operators).from_dict(policy)


@pytest.mark.faults
@pytest.mark.parametrize(
    ('path', 'value', 'words'),
    [
        ('version', 3, ['version 3', 'allowed: 1, 2', 'newer tst_mm', 'update']),
        ('version', '1', ["version '1'", 'allowed: 1, 2']),
        ('version', True, ['version True', 'allowed: 1, 2']),
        ('operators', {}, ['"operators"', 'name and rate']),
        ('operators.0', 'Rotate', ['name and rate']),
        ('operators.0.name', 'Invert', ["'Invert' twice"]),
        ('operators.0.rate', 1.5, ['rate of Rotate is 1.5', '0 to 1']),
        ('operators.0.rate', float('nan'), ['rate of Rotate is nan', '0 to 1']),
        ('operators.0.rate', None, ['rate of Rotate is None', 'a number']),
        ('operators.0.magnitude', '0.5', ["magnitude of Rotate is '0.5'", 'a number']),
        ('operators.0.limit', 'wide', ["limit of Rotate is 'wide'", 'a number']),
        ('augmenter', 4, ['augmenter is 4', 'an object']),
        ('augmenter.num_op', 4, ["'num_op'", "did you mean 'num_ops'"]),
        ('augmenter.num_ops', 3, ['num_ops is 3', '1 to 2']),
        ('augmenter.sign', 'negative', ["sign is 'negative'", 'positive']),
        ('augmenter.magnitudes', 'point', ["magnitudes is 'point'", 'spread, fixed']),
        ('augmenter.fill', [300], ['fill is [300]', '0 to 255']),
        ('provenance', 'me', ["provenance is 'me'", 'an object']),
        ('history', 'long', ["history is 'long'", 'a list']),
        ('history.0.rates', [0.5], ['rates of history[0]', '[0.5]', '2 numbers']),
        ('history.0.magnitudes', [0.5, 2], ['magnitudes of history[0] is 2', '0 to 1']),
        ('history.0.iter', -1, ['iter of history[0] is -1', 'from 0']),
    ],
)
def test_wrong_ones_are_refused_by_all_who_read_them(tmp_path, path, value, words):
    file = tmp_path / 'policy.json'
    file.write_text(json.dumps(changed(path, value)))
    operators = LearnedAugmenter(operators=['Rotate', 'Invert'], num_ops=1).operators
    for read in (
        lambda: read_policy(file),
        lambda: AugmentPolicy(operators, init=file),
        lambda: TRANSFORMS.build({'type': 'tst_mm.LearnedAugment', 'policy': str(file)}),
    ):
        with pytest.raises((ValueError, KeyError)) as caught:
            read()
        message = str(caught.value)
        assert 'policy.json' in message and all(word in message for word in words), message


@pytest.mark.faults
@pytest.mark.parametrize(
    ('path', 'value', 'words'),
    [
        ('operators.0.name', 'Rotat', ["'Rotat'", "did you mean 'Rotate'"]),
        ('operators.0.limit', 200, ['range of operator Rotate is 200', '0 to 180 degrees']),
        ('operators.1.magnitude', 0.5, ["no magnitude of 'Invert'"]),
    ],
)
def test_operators_that_cannot_be_built(path, value, words):
    with pytest.raises((ValueError, KeyError)) as caught:
        TRANSFORMS.build({'type': 'tst_mm.LearnedAugment', 'policy': changed(path, value)})
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.faults
@pytest.mark.parametrize('length', [0, 1, 40])
def test_cut_short(tmp_path, length):
    file = tmp_path / 'policy.json'
    file.write_text(json.dumps(GOOD)[:length])
    with pytest.raises(ValueError, match=r'policy\.json is not JSON, or cut short'):
        read_policy(file)
