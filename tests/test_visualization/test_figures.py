"""Figures show what the history says; looked at through matplotlib's own objects."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image

from tst_mm.augment import LearnedAugmenter
from tst_mm.visualization import (
    History,
    plot_agreement,
    plot_confidence,
    plot_final_policy,
    plot_policy,
    save_figure,
)
from tst_mm.visualization.agreement import compare_policies
from tst_mm.visualization.figure import BLUE, INK, PAPER, VERMILION, darken, to_png


def curves(axes, color):
    return [line.get_xydata() for line in axes.lines if to_hex(line.get_color()) == color.lower()]


def panel(figure, name):
    return next(axes for axes in figure.axes if axes.get_title(loc='left') == name)


def test_a_curve_holds_between_stages_and_to_the_end(policy):
    axes = panel(plot_policy(History.from_dict(policy), end=400), 'Rotate')
    (rate,) = curves(axes, BLUE)
    expected = [
        (0, 0.5),
        (100, 0.5),
        (110, 0.6),
        (120, 0.7),
        (320, 0.7),
        (330, 0.8),
        (400, 0.8),
    ]
    assert rate.tolist() == [list(point) for point in expected]


def test_only_learned_magnitudes_are_drawn(policy):
    figure = plot_policy(History.from_dict(policy))
    assert len(curves(panel(figure, 'Rotate'), VERMILION)) == 1
    assert len(curves(panel(figure, 'Invert'), VERMILION)) == 0


def test_every_operator_has_a_panel_with_its_last_values(policy):
    history = History.from_dict(policy)
    figure = plot_policy(history)
    for name in history.names:
        assert '80%' in [text.get_text() for text in panel(figure, name).texts]
    assert '7.5 degrees' in [text.get_text() for text in panel(figure, 'Rotate').texts]


def test_stages_are_shaded(policy):
    axes = panel(plot_policy(History.from_dict(policy)), 'Rotate')
    bands = sorted(patch.get_x() for patch in axes.patches)
    assert bands == [100, 320]


def test_legend_when_every_panel_is_used(policy):
    for name in ('Invert', 'Equalize', 'Cutout', 'Rotate'):
        index = next(i for i, op in enumerate(policy['operators']) if op['name'] == name)
        for values in (policy['operators'], *(entry['rates'] for entry in policy['history'])):
            del values[index]
        for entry in policy['history']:
            del entry['magnitudes'][index]
    figure = plot_policy(History.from_dict(policy))
    assert len(figure.axes) == 10 and len(figure.legends) == 1


def test_confidence_writes_the_gap_of_each_stage(policy):
    figure = plot_confidence(History.from_dict(policy))
    titles = [axes.get_title(loc='left') for axes in figure.axes]
    assert titles == ['stage 1: gap 0.10 to 0.20', 'stage 2: gap 0.40']


def test_many_stages_go_to_several_rows(policy):
    first = policy['history'][0]
    policy['history'] = [
        {**first, 'stage': i, 'iter': 100 * i, 'step': step} for i in range(7) for step in (5, 10)
    ]
    figure = plot_confidence(History.from_dict(policy))
    assert sum(bool(axes.get_title(loc='left')) for axes in figure.axes) == 7


def test_stages_with_an_entry_each_are_dots_in_one_panel(policy):
    first = policy['history'][0]
    policy['history'] = [{**first, 'stage': i, 'iter': 100 * i} for i in range(3)]
    (axes,) = plot_confidence(History.from_dict(policy)).axes
    assert axes.get_title(loc='left') == 'stages 1 to 3: gap 0.10'
    assert [len(line.get_xdata()) for line in axes.lines] == [3, 3]
    assert all(line.get_marker() == 'o' for line in axes.lines)


def test_an_entry_alone_is_a_line_over_its_stage(policy):
    _, second = plot_confidence(History.from_dict(policy)).axes
    assert [line.get_xdata().tolist() for line in second.lines] == [[320, 330]] * 2


def test_an_untrained_policy_is_refused(policy, measured):
    untrained = History.from_dict({**policy, 'history': []})
    with pytest.raises(ValueError, match='never trained'):
        plot_policy(untrained)
    for history in (untrained, History.from_dict(measured)):
        with pytest.raises(ValueError, match='no confidences'):
            plot_confidence(history)


def test_a_saved_figure_is_a_readable_image_and_nothing_else_stays(policy, tmp_path):
    path = save_figure(plot_policy(History.from_dict(policy)), tmp_path / 'new' / 'policy.png')
    with Image.open(path) as image:
        assert image.width == 1200 and np.asarray(image).std() > 0
    assert [file.name for file in path.parent.iterdir()] == ['policy.png']


def test_the_look_does_not_leak(policy):
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot_policy(History.from_dict(policy))
    assert dict(matplotlib.rcParams) == before


def final(rate, **start):
    """A policy that ended with one rate everywhere and the default magnitudes."""
    policy = LearnedAugmenter(init={'rate': rate}).policy.to_dict()
    return History.from_dict({**policy, **start})


def test_a_curve_begins_where_the_policy_did(policy):
    policy['start'] = {'rates': [0.2] * 14, 'magnitudes': [0.9] * 14}
    axes = panel(plot_policy(History.from_dict(policy)), 'Rotate')
    assert curves(axes, BLUE)[0][:2, 1].tolist() == [0.2, 0.2]
    assert curves(axes, VERMILION)[0][:2, 1].tolist() == [0.9, 0.9]


def test_the_final_policy_of_one_run_has_its_values_beside_it(policy):
    figure = plot_final_policy({'run': History.from_dict(policy)})
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {'80%', '7.5 degrees'} <= texts
    assert not figure.legends


def test_final_policies_of_several_runs_share_a_figure():
    operators = {'operators': ['Rotate', 'Invert'], 'num_ops': 2}
    other = LearnedAugmenter(**operators, init={'rate': 0.9}).policy.to_dict()
    histories = {'a': final(0.3), 'b': History.from_dict(other)}
    figure = plot_final_policy(histories)
    rates = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    shown = {line.get_label(): line.get_xdata() for line in figure.axes[0].lines}
    assert shown['a'] == pytest.approx([0.3] * 14, abs=1e-3)
    assert np.isfinite(shown['b']).sum() == 2 and len(rates['b']) == 14
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ['a', 'b']


def test_agreement_by_hand():
    """Of 25 numbers only the 14 rates differ: by 0.2 between a and b, by 0.3 between a and c."""
    histories = {'a': final(0.6), 'b': final(0.8), 'c': final(0.3), 'still': final(0.5)}
    distance, cosine = compare_policies(histories)
    part = 14 / 25
    assert distance[0] == pytest.approx([0.1 * part, 0.2 * part, 0.3 * part, 0.1 * part])
    assert cosine[0, :3] == pytest.approx([1, 1, -1])
    assert np.isnan(cosine[3]).all()
    texts = [text.get_text() for axes in plot_agreement(histories).axes for text in axes.texts]
    assert len(texts) == 32 and texts.count('–') == 7


def test_movement_is_counted_from_the_start_of_the_run():
    start = {'start': {'rates': [0.6] * 14, 'magnitudes': [0.5] * 14}}
    distance, cosine = compare_policies({'a': final(0.6, **start), 'b': final(0.6)})
    assert distance[0, 0] == pytest.approx(0, abs=1e-6) and distance[1, 1] > 0.05
    assert np.isnan(cosine[0, 1])


@pytest.mark.parametrize('count', [0, 1])
def test_one_run_agrees_with_nothing(count):
    with pytest.raises(ValueError, match=f'{count} run.s. to compare; allowed: at least 2'):
        plot_agreement({'a': final(0.5)} if count else {})


def test_a_dark_figure_has_light_type_and_the_same_layout(policy):
    figure = plot_policy(History.from_dict(policy))
    to_png(figure)
    axes = panel(figure, 'Rotate')
    before, title = axes.get_position().bounds, axes.title.get_position()
    darken(figure)
    to_png(figure)
    assert axes.get_position().bounds == before and axes.title.get_position() == title
    colors = {to_hex(text.get_color()).upper() for text in figure.findobj(match_text)}
    assert INK not in colors and PAPER not in colors
    assert to_hex(figure.get_facecolor()).upper() != PAPER


def match_text(artist):
    return isinstance(artist, Text) and artist.get_text()
