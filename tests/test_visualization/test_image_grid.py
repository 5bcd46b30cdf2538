"""Pictures are the images that went in; labels lie where the boxes and masks are."""

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tst_mm.augment import Normalization
from tst_mm.visualization import Annotations, plot_images, to_pictures
from tst_mm.visualization.annotations import class_color


def draw(annotations, height=20, width=30):
    figure = Figure(figsize=(width / 10, height / 10), dpi=10)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.zeros((height, width, 3)), extent=(0, width, height, 0))
    axes.set_axis_off()
    annotations.draw(axes)
    axes.set(xlim=(0, width), ylim=(height, 0))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].max(-1)


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_pictures_are_the_images_before_normalisation(order):
    image = torch.rand(2, 3, 5, 4)
    normalization = Normalization([120, 110, 100], [60, 50, 40], order)
    rgb = image if order == 'rgb' else image.flip(1)
    inputs = (rgb * 255 - normalization.mean) / normalization.std
    pictures = to_pictures(inputs, normalization, [(5, 4), (3, 2)])
    assert [picture.shape for picture in pictures] == [(5, 4, 3), (3, 2, 3)]
    expected = image.permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(pictures[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(pictures[1], expected[1, :3, :2], atol=1e-5)


def test_grey_pictures_have_no_channel_axis():
    assert to_pictures(torch.zeros(2, 1, 5, 4), Normalization())[0].shape == (5, 4)


def test_captions_are_written_one_operator_a_line():
    images = [np.zeros((8, 8))] * 3
    figure = plot_images(images, images, ['Rotate +3 degrees, Invert', 'unchanged', 'Cutout'])
    assert [text.get_text() for text in figure.texts] == [
        'Rotate +3 degrees\nInvert',
        'unchanged',
        'Cutout',
    ]
    assert len(figure.axes) == 6


def test_images_keep_their_shape_in_several_rows():
    images = [np.zeros((10, 20, 3))] * 5
    figure = plot_images(images, images, ['Invert'] * 5, columns=2)
    width, height = figure.get_size_inches()
    box = figure.axes[0].get_position()
    assert box.width * width / (box.height * height) == pytest.approx(2, rel=0.05)


def test_lists_of_different_length_are_refused():
    with pytest.raises(ValueError, match='2 originals, but lists of'):
        plot_images([np.zeros((4, 4))] * 2, [np.zeros((4, 4))], ['', ''])
    with pytest.raises(ValueError, match='at least 1'):
        plot_images([], [], [])


def test_a_mask_covers_its_pixels_and_no_others():
    mask = np.zeros((1, 20, 30), bool)
    mask[0, 5:10, 12:24] = True
    lit = draw(Annotations(masks=mask)) > 20
    assert (lit == mask[0]).mean() > 0.99


def test_a_box_is_drawn_around_its_area():
    lit = draw(Annotations(boxes=np.array([[6, 4, 24, 16]]), labels=np.array([0]))) > 20
    rows, columns = np.nonzero(lit)
    assert abs(rows.min() - 4) <= 1 and abs(rows.max() - 16) <= 1
    assert abs(columns.min() - 6) <= 1 and abs(columns.max() - 24) <= 1
    assert not lit[7:13, 9:21].any()


def test_a_label_map_is_coloured_by_class_and_ignored_pixels_are_not():
    classes = np.full((20, 30), 255)
    classes[:, :15] = 1
    lit = draw(Annotations(label_map=classes)) > 20
    assert lit[:, :15].all() and not lit[:, 16:].any()


def test_class_colours_differ():
    colors = [class_color(i) for i in range(14)]
    assert len(set(colors)) == 14


def test_label_maps_have_a_legend_in_the_palette_of_the_data_set():
    images = [np.zeros((20, 30, 3))] * 2
    classes = np.full((20, 30), 255)
    classes[:, :15] = 1
    settings = {'classes': ('road', 'car'), 'palette': [(128, 64, 128), (0, 0, 142)]}
    before = [Annotations(label_map=np.zeros((20, 30), int), **settings)] * 2
    after = [Annotations(label_map=classes, **settings)] * 2
    (legend,) = plot_images(images, images, ['Cutout'] * 2, before, after).legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ['road', 'car', 'striped: does not count']
    colors = [patch.get_facecolor()[:3] for patch in legend.get_patches()]
    assert colors[1] == pytest.approx((0, 0, 142 / 255)) == class_color(1, settings['palette'])


def test_a_class_without_a_name_or_colour_has_ours():
    annotations = Annotations(label_map=np.full((2, 2), 3), classes=('a',), palette=[(1, 2, 3)])
    assert annotations.legend == {3: ('class 3', class_color(3))}
    assert class_color(2, 'coco') == class_color(2)


def test_without_label_maps_there_is_no_legend():
    images = [np.zeros((20, 30, 3))]
    labels = [Annotations(boxes=np.array([[1, 1, 9, 9]]), labels=np.array([0]), classes=('cat',))]
    figure = plot_images(images, images, ['Cutout'], labels, labels)
    assert not figure.legends
    # The box is there before and after.
    assert [[t.get_text() for t in axes.texts] for axes in figure.axes] == [['cat'], ['cat']]
