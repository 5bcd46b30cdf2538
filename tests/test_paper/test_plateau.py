"""The plateau rule of the augmenter's learning rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.paper.plateau import LossPlateau


def rates(losses, plateau):
    lr, result = 0.01, []
    for loss in losses:
        lr *= plateau.update(loss)
        result.append(lr)
    return result


def test_oracle():
    """Method page, section 9; the clear rise at the end is no plateau."""
    found = rates([5.0, 4.0, 3.99, 3.985, 4.5], LossPlateau())
    assert found == pytest.approx([0.01, 0.01, 0.009, 0.0081, 0.0081])


def test_both_thresholds_must_hold():
    assert rates([0.5, 0.485], LossPlateau())[-1] == 0.01  # 0.015 absolute, but 3 %
    assert rates([50.0, 49.5], LossPlateau())[-1] == 0.01  # 1 %, but 0.5 absolute
    assert rates([1.0, 0.985], LossPlateau())[-1] == pytest.approx(0.009)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=12), st.integers(0, 12))
def test_state_continues(losses, at):
    whole = LossPlateau(factor=0.5)
    expected = [whole.update(loss) for loss in losses]
    first, second = LossPlateau(factor=0.5), LossPlateau(factor=0.5)
    found = [first.update(loss) for loss in losses[:at]]
    second.load_state_dict(first.state_dict())
    assert found + [second.update(loss) for loss in losses[at:]] == expected


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'factor': 0}, 'plateau.factor is 0'),
        ({'factor': 1.5}, 'plateau.factor is 1.5'),
        ({'min_drop_abs': -1}, 'plateau.min_drop_abs is -1'),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LossPlateau(**arguments)
