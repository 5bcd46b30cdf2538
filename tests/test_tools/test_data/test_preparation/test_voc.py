"""Reading VOC annotations."""

import pytest

from preparation.errors import PreparationError
from preparation.voc import VocObject, read_voc

HEAD = '<annotation><size><width>1</width><height>1</height></size>'


def thing(name, x1, y1, x2, y2, more=''):
    box = f'<xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>'
    return f'<object><name>{name}</name>{more}<bndbox>{box}</bndbox></object>'


def read(tmp_path, *things, height=100, width=200):
    (tmp_path / 'file.xml').write_text(HEAD + ''.join(things) + '</annotation>')
    return read_voc(tmp_path / 'file.xml', height, width)


def test_pixels_are_counted_from_zero_and_the_far_side_is_outside(tmp_path):
    objects, dropped = read(
        tmp_path,
        thing('cat', 1, 1, 200, 100),
        thing(' dog ', '10.0', 20, 30, 40, '<difficult>1</difficult>'),
    )
    assert objects == [
        VocObject('cat', (0, 0, 200, 100), False),
        VocObject('dog', (9, 19, 30, 40), True),
    ]
    assert dropped == 0


def test_boxes_are_cut_at_the_border_and_dropped_without_extent(tmp_path):
    objects, dropped = read(
        tmp_path,
        thing('cut', -5, 50, 300, 150),
        thing('point', 50, 50, 50, 50),
        thing('line', 50, 50, 60, 50),
        thing('turned', 60, 60, 50, 70),
        thing('outside', 250, 10, 260, 20),
    )
    assert [item.box for item in objects] == [(0, 49, 200, 100)]
    assert dropped == 4


@pytest.mark.faults
@pytest.mark.parametrize(
    'text',
    [
        'no xml',
        HEAD + '<object><name>a</name></object></annotation>',
        HEAD + thing('a', 1, 1, 2, 2).replace('<name>a</name>', '') + '</annotation>',
        HEAD + thing('a', 'x', 1, 2, 2) + '</annotation>',
    ],
)
def test_damaged_files_are_named(tmp_path, text):
    (tmp_path / 'file.xml').write_text(text)
    with pytest.raises(PreparationError, match='file.xml is not a VOC annotation'):
        read_voc(tmp_path / 'file.xml', 10, 10)
