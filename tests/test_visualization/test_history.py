"""The history is read as it was written; time counts steps of both kinds."""

import json

import pytest

from tst_mm.visualization import History


def test_time_counts_student_and_augmenter_steps(policy):
    history = History.from_dict(policy)
    assert history.time.tolist() == [110, 120, 330]
    assert history.bands == [(100, 120), (320, 330)]
    assert history.rates[:, 3].tolist() == [0.6, 0.7, 0.8]


def test_physical_values_are_those_of_the_operators(policy):
    history = History.from_dict(policy)
    values = dict(zip(history.names, history.physical, strict=True))
    assert values['Rotate'] == '7.5 degrees'
    assert values['Posterize'] == '6 bits'
    assert values['Invert'] == ''
    assert history.learned[history.names.index('Rotate')]
    assert not history.learned[history.names.index('Invert')]


def test_file_and_dict_agree(policy, tmp_path):
    path = tmp_path / 'policy.json'
    path.write_text(json.dumps(policy))
    assert History.load(path).time.tolist() == History.from_dict(policy).time.tolist()


def test_a_policy_without_history_is_empty(policy):
    history = History.from_dict({**policy, 'history': []})
    assert len(history) == 0 and history.rates.shape == (0, 14)


def test_a_lacking_key_is_named(policy):
    del policy['history'][1]['rates']
    with pytest.raises(KeyError, match=r'history\[1\] of the policy lacks rates'):
        History.from_dict(policy)


def test_the_start_is_read_or_neutral(policy):
    assert History.from_dict(policy).start_rates.tolist() == [0.5] * 14
    start = {'rates': [0.1] * 14, 'magnitudes': [0.9] * 14}
    history = History.from_dict({**policy, 'start': start})
    assert history.start_rates.tolist() == [0.1] * 14
    assert history.start_magnitudes.tolist() == [0.9] * 14
    with pytest.raises(ValueError, match=r'rates of start\[0\] are .*; allowed: 14 numbers'):
        History.from_dict({**policy, 'start': {**start, 'rates': [0.1]}})


def test_final_values_are_those_of_the_operators(policy):
    history = History.from_dict(policy)
    values = dict(zip(history.names, history.final_magnitudes, strict=True))
    assert values['Rotate'] == pytest.approx(0.25) and values['Invert'] != values['Invert']
    assert history.final_rates == pytest.approx([0.8] * 14)


def test_a_history_may_have_confidences_or_not(policy, measured):
    assert History.from_dict(policy).confident.tolist() == [True] * 3
    history = History.from_dict(measured)
    assert history.confident.tolist() == [False] * 2 and history.iteration == 300
    assert History.from_dict(policy).evidence is None and History.from_dict(policy).amount is None


def test_a_file_of_version_1_is_read(policy):
    assert len(History.from_dict({**policy, 'version': 1})) == 3
