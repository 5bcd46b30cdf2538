"""What is known of the operators, read, ordered, drawn and said."""

import copy

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tst_mm.visualization import Evidence, History, plot_effect_history, plot_effects
from tst_mm.visualization.effects import DOWN, UP, describe_effects
from tst_mm.visualization.figure import BLUE, GREY, PAPER, VERMILION


def dots(axes):
    """Face and edge colour of each dot by its row, and the lengths of the intervals."""
    lines = [line for line in axes.lines if len(line.get_xdata()) == 1]
    return {
        float(line.get_ydata()[0]): (
            to_hex(line.get_markerfacecolor()).upper(),
            to_hex(line.get_color()).upper(),
        )
        for line in lines
    }


def rows(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_stages_are_those_that_ended(measured):
    unfinished = {**measured['history'][-1], 'stage': 2, 'step': 3, 'iter': 500}
    measured['history'].append(unfinished)
    evidence = Evidence.from_dict(measured)
    assert evidence.iterations.tolist() == [100, 300]
    rotate = [op['name'] for op in measured['operators']].index('Rotate')
    assert evidence.effects[:, rotate].tolist() == [-1, -0.5]
    assert evidence.errors[:, rotate].tolist() == pytest.approx([0.2, 0.1])


def test_without_a_history_the_operators_tell(measured):
    measured['history'] = []
    evidence = Evidence.from_dict(measured)
    assert evidence.iterations.tolist() == [0] and evidence.known.sum() == 2


def test_known_is_what_stands_out_by_two_errors(measured):
    names = [operator['name'] for operator in measured['operators']]
    measured['operators'][0] |= {'effect': 0.2, 'effect_error': 0.1}
    measured['operators'][1] |= {'effect': 0.199, 'effect_error': 0.1}
    evidence = Evidence.from_dict(measured)
    known = {name for name, yes in zip(names, evidence.known, strict=True) if yes}
    assert known == {names[0], 'Rotate', 'Invert'}
    order = [names[i] for i in evidence.order]
    assert order[0] == 'Rotate' and order[-2:] == ['Invert', 'Cutout']


@pytest.mark.faults
@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'effects': [1.0]}, r'effects of history\[0\] are .*; allowed: 14 numbers'),
        ({'effects': ['a'] * 14}, r'effects of history\[0\] are .*; allowed: numbers'),
        ({'slopes': None}, r'slopes of history\[0\] are None; allowed: 14 numbers'),
    ],
)
def test_broken_evidence_is_named(measured, change, message):
    measured['history'][0] |= change
    with pytest.raises(ValueError, match=message):
        History.from_dict(measured)


def test_effects_are_sorted_and_told_apart(measured):
    (axes,) = plot_effects({'run': History.from_dict(measured)}).axes
    names = rows(axes)
    assert names[0] == 'Rotate' and names[-2:] == ['Invert', 'Cutout']
    found = dots(axes)
    assert found[0] == (BLUE, BLUE) and found[12] == (VERMILION, VERMILION)
    assert found[5] == (PAPER, GREY) and 13 not in found  # unknown; never drawn
    (interval,) = [line for line in axes.lines if list(line.get_ydata()) == [0, 0]]
    assert interval.get_xdata() == pytest.approx([-0.5 - 0.196, -0.5 + 0.196])
    texts = ' '.join(text.get_text() for text in axes.texts)
    assert UP in texts and DOWN in texts and 'not measured' in texts


def test_effects_of_several_runs_share_a_figure(measured, policy):
    other = copy.deepcopy(measured)
    for operator in other['operators']:
        operator['effect'] = -operator['effect']
    files = {'a': measured, 'gradient': policy, 'b': other}
    figure = plot_effects({name: History.from_dict(file) for name, file in files.items()})
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ['a', 'b']
    assert len(dots(figure.axes[0])) == 26
    low, high = figure.axes[0].get_xlim()
    assert low < -0.7 and high > 0.7


def test_effects_over_stages_have_bands(measured):
    figure = plot_effect_history(History.from_dict(measured))
    titles = [axes.get_title(loc='left') for axes in figure.axes[:14]]
    assert titles[0] == 'Rotate' and titles[-1] == 'Cutout'
    (curve,) = [line for line in figure.axes[0].lines if line.get_marker() == 'o']
    assert curve.get_xydata().tolist() == [[100, -1], [300, -0.5]]
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(-1 - 0.392)
    assert [text.get_text() for text in figure.axes[13].texts] == ['not measured']


def test_one_stage_is_to_be_seen(measured):
    del measured['history'][0]
    figure = plot_effect_history(History.from_dict(measured))
    (bar,) = figure.axes[0].containers
    (segment,) = bar.lines[2][0].get_segments()
    assert np.asarray(segment)[:, 1] == pytest.approx([-0.696, -0.304])


def test_findings_in_words(measured):
    up, down, unknown = describe_effects(History.from_dict(measured))
    assert up == (f'Rate up: {UP}', 'Rotate (−0.50 ± 0.10)')
    assert down == (f'Rate down: {DOWN}', 'Invert (+0.40 ± 0.10)')
    assert unknown[0].startswith('Unknown') and len(unknown[1].split(', ')) == 12


@pytest.mark.parametrize(
    'plot', [lambda history: plot_effects({'run': history}), plot_effect_history]
)
def test_a_run_without_evidence_is_refused(plot, policy):
    with pytest.raises(ValueError, match='evidence; allowed: .* of a measuring search'):
        plot(History.from_dict(policy))
