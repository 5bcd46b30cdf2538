"""The amount of augmentation, read, drawn and said."""

import numpy as np
import pytest

from tst_mm.visualization import Amount, plot_amount


def amount(*fractions, seen=1.0, unseen=2.0):
    time = 20.0 * np.arange(1, len(fractions) + 1)
    constant = np.ones(len(fractions))
    return Amount(time, np.array(fractions), seen * constant, unseen * constant)


def test_the_file_is_read(measured):
    found = Amount.from_dict(measured)
    assert found.iterations.tolist() == [20, 40, 60, 80, 100]
    assert found.fraction.tolist() == [1, 0.6, 0.2, 0.6, 1]
    assert found.unseen.tolist() == [2] * 5
    assert Amount.from_dict({}) is None and Amount.from_dict({'amount': []}) is None


@pytest.mark.faults
@pytest.mark.parametrize('entries', [[{'iter': 3}], [3], 'x', [{'iter': 'x'}]])
def test_a_broken_amount_is_named(measured, entries):
    with pytest.raises(ValueError, match='amount of the policy is .*; allowed: a list of objects'):
        Amount.from_dict({**measured, 'amount': entries})


@pytest.mark.parametrize(
    ('fractions', 'words'),
    [
        ((1, 0.6, 0.2, 0.6, 1), 'began at 1.00, fell to 0.20, then rose to 1.00: the student mem'),
        ((1, 0.95, 1, 0.5), 'began at 1.00, fell to 0.50: at the last look'),
        ((0.5, 0.52, 0.48, 0.5), 'stayed near 0.50: at the last look'),
        ((0.2, 0.9, 0.85, 0.95, 0.0), 'began at 0.20, rose to 0.95, then fell to 0.00: the stud'),
        ((1,), 'stayed near 1.00: the student memorises'),
    ],
)
def test_the_way_in_words(fractions, words):
    said = amount(*fractions).describe()
    assert words in said and '2.00 times as large on unseen images' in said


def test_a_student_without_a_gap_does_not_memorise():
    assert 'memorises' not in amount(1, 1, unseen=1.02).describe()


def test_the_release_is_known_once_looks_have_ended():
    found = amount(1, 0.5, 0.2)
    assert found.release(60) is None and found.release(80) is None
    assert found.release(300) == 80
    assert amount(1).release(300) is None


def test_figure(measured):
    figure = plot_amount(Amount.from_dict(measured), end=300)
    above, below = figure.axes
    curve = above.lines[0].get_xydata()
    assert curve[2].tolist() == [60, 0.2]
    assert above.lines[1].get_xydata().tolist() == [[100, 1], [300, 1]]  # stays where it is
    labels = {line.get_label(): line.get_ydata()[-1] for line in below.lines[:2]}
    assert labels == {'unseen': 2, 'trained on': 1}
    assert [text.get_text() for text in above.texts] == ['unseen images released']
    assert above.get_xlim() == (0, 300)


def test_a_run_that_still_looks_has_released_nothing(measured):
    above, _ = plot_amount(Amount.from_dict(measured)).axes
    assert not above.texts and len(above.lines) == 1
