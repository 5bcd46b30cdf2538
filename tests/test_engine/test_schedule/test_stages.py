"""Stage lists: what they become in iterations, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.engine.schedule.stages import Stage, StageSpec, parse_stages, resolve_stages

begins = st.lists(st.integers(0, 500), unique=True, max_size=20).map(sorted)


def test_paper_cifar_schedule():
    """240 epochs of 50,000 images at 128, stages of 30 epochs before epochs 30 and 90."""
    specs = parse_stages([{'begin': 30, 'length': 30}, {'begin': 90, 'length': 30}])
    stages = resolve_stages(specs, 240, 'epochs', 391, 391)
    assert stages == [Stage(11730, 11730), Stage(35190, 11730)]
    assert sum(stage.length for stage in stages) == 23460


def test_period():
    specs = parse_stages({'first': 32, 'every': 30, 'length': 5}, end=240)
    assert [spec.begin for spec in specs] == [32, 62, 92, 122, 152, 182, 212]
    assert {spec.length for spec in specs} == {5}


@given(begins, st.integers(1, 50), st.integers(1, 400), st.booleans())
def test_resolved_stages_keep_order_and_lengths(starts, length, unit, iters):
    key = 'iters' if iters else 'length'
    specs = parse_stages([{'begin': begin, key: length} for begin in starts])
    stages = resolve_stages(specs, 501, 'epochs', unit, 7)
    assert [stage.begin for stage in stages] == [begin * unit for begin in starts]
    assert all(stage.length == (length if iters else length * 7) for stage in stages)
    assert all(early.begin < late.begin for early, late in zip(stages, stages[1:], strict=False))


@given(st.integers(0, 100), st.integers(1, 40), st.integers(1, 300))
def test_period_is_its_list(first, every, end):
    specs = parse_stages({'first': first, 'every': every, 'iters': 3}, end=end)
    assert specs[0] == StageSpec(first, iters=3)
    assert all(late.begin - early.begin == every for early, late in zip(specs, specs[1:]))  # noqa: B905
    assert len(specs) == 1 or specs[-1].begin < end <= specs[-1].begin + every


@given(begins.filter(lambda found: len(found) > 1), st.randoms())
def test_any_other_order_is_refused(starts, random):
    shuffled = random.sample(starts, len(starts))
    if shuffled != starts:
        with pytest.raises(ValueError, match='ascending'):
            parse_stages([{'begin': begin, 'length': 1} for begin in shuffled])


@pytest.mark.parametrize(
    ('stages', 'error', 'message'),
    [
        ([{'begin': 3, 'lenght': 2}], KeyError, r"stages\[0\] has no key 'lenght'.*'length'"),
        ([{'length': 2}], KeyError, r'stages\[0\] has no begin'),
        ([{'begin': 3}], KeyError, 'no length; allowed: either length .* or iters'),
        ([{'begin': 3, 'length': 2, 'iters': 2}], KeyError, 'length and iters'),
        ([{'begin': 3, 'length': 0}], ValueError, r'stages\[0\].length is 0; .* from 1'),
        ([{'begin': -1, 'length': 1}], ValueError, r'stages\[0\].begin is -1; .* from 0'),
        ([{'begin': 0.5, 'length': 1}], ValueError, 'is 0.5; allowed: whole numbers'),
        ([{'begin': True, 'length': 1}], ValueError, 'is True; allowed: whole numbers'),
        ([{'begin': 5, 'length': 1}, {'begin': 5, 'length': 1}], ValueError, 'one stage at each'),
        ([3], ValueError, r'stages\[0\] is 3'),
        ('30', ValueError, 'allowed: a list'),
        ({'first': 3, 'length': 2}, KeyError, 'stages has no every'),
        ({'first': 3, 'every': 0, 'length': 2}, ValueError, 'every is 0'),
        ({'begin': 3, 'length': 2}, KeyError, "no key 'begin'"),
    ],
)
def test_mistakes_are_named(stages, error, message):
    with pytest.raises(error, match=message):
        parse_stages(stages)


def test_beyond_the_end():
    specs = parse_stages([{'begin': 0, 'length': 1}, {'begin': 20, 'length': 1}])
    with pytest.raises(ValueError, match=r'stages\[1\].begin is 20 epochs.* after 20 epochs'):
        resolve_stages(specs, 20, 'epochs', 10, 10)
    assert resolve_stages(specs, 20.5, 'epochs', 10, 10)[1] == Stage(200, 10)
