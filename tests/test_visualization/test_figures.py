"""Figures show what the history says; looked at through matplotlib's own objects."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from tst_mm.visualization import History, plot_confidence, plot_policy, save_figure
from tst_mm.visualization.figure import BLUE, VERMILION


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
    assert titles == ['stage 1: gap 0.10 to 0.20', 'stage 2: gap 0.40 to 0.40']


def test_many_stages_go_to_several_rows(policy):
    first = policy['history'][0]
    policy['history'] = [{**first, 'stage': i, 'iter': 100 * i} for i in range(7)]
    figure = plot_confidence(History.from_dict(policy))
    assert sum(bool(axes.get_title(loc='left')) for axes in figure.axes) == 7


@pytest.mark.parametrize('plot', [plot_policy, plot_confidence])
def test_an_untrained_policy_is_refused(plot, policy):
    with pytest.raises(ValueError, match='never trained'):
        plot(History.from_dict({**policy, 'history': []}))


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
