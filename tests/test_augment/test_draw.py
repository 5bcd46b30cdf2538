"""Draws: what is drawn, how often, and the map that the geometric operators compose to."""

from math import comb

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.draw import compose
from tst_mm.augment.operators import DEFAULT_OPERATORS

from .helpers import (
    ALWAYS,
    GEOMETRIC,
    LEARNED,
    about_centre,
    draw_of,
    operator,
    rotation,
    with_logits,
)

MANY = 6000
SIGNED = [name for name in LEARNED if name not in ('Posterize', 'Solarize')]


def drawn(augmenter, count=MANY, size=(8, 8), key=0):
    augmenter.reseed(key)
    return augmenter.draw([size] * count)


def acting(draw):
    """(B, N) bool from the draw's host indices."""
    table = torch.zeros(len(draw), len(draw.operators), dtype=torch.bool)
    for i, index in enumerate(draw.acted_on):
        table[slice(None) if index is None else list(index), i] = True
    return table


def always(**kwargs):
    """All operators that are drawn act."""
    return with_logits(LearnedAugmenter(**kwargs), ALWAYS)


def five_sigma(rate, count=MANY):
    return 5 * (rate * (1 - rate) / count) ** 0.5


@pytest.mark.parametrize('num_ops', [1, 4, 13, 14])
def test_exactly_k_distinct_each_equally_often(num_ops):
    chosen = acting(drawn(always(num_ops=num_ops)))
    assert (chosen.sum(1) == num_ops).all()
    rate = num_ops / 14
    frequency = chosen.float().mean(0)
    assert (frequency - rate).abs().max() <= five_sigma(rate)


def test_pairs_are_drawn_equally_often():
    """Uniform over subsets, not only over single operators."""
    chosen = acting(drawn(always(num_ops=4))).float()
    together = (chosen.T @ chosen / MANY)[~torch.eye(14, dtype=torch.bool)]
    rate = comb(12, 2) / comb(14, 4)
    assert (together - rate).abs().max() <= five_sigma(rate)


@pytest.mark.parametrize('num_ops', [2, 7])
def test_hard_marginal_rates(num_ops):
    augmenter = LearnedAugmenter(num_ops=num_ops)
    with torch.no_grad():
        augmenter.policy.probability_logits.copy_(torch.linspace(-3, 3, 14))
    draw = drawn(augmenter)
    expected = augmenter.policy.rates().detach() * num_ops / 14
    error = (draw.gates.mean(0) - expected).abs()
    assert (error <= five_sigma(expected)).all()


def test_signs():
    augmenter = LearnedAugmenter(init={'magnitude': 1.0})
    levels = drawn(augmenter).levels
    assert torch.equal(levels.abs(), torch.ones(MANY, 14))
    for i, name in enumerate(DEFAULT_OPERATORS):
        share = (levels[:, i] > 0).float().mean().item()
        expected = 0.5 if name in SIGNED else 1.0
        assert share == pytest.approx(expected, abs=five_sigma(0.5) if name in SIGNED else 0)


@pytest.mark.parametrize('mean', [0.0, 0.1, 0.5, 0.8, 1.0])
def test_magnitudes_are_spread_about_the_mean_of_the_policy(mean):
    draw = drawn(LearnedAugmenter(init={'magnitude': mean}))
    assert torch.equal(draw.levels.abs(), draw.magnitudes)
    learned = draw.magnitudes[:, [name in LEARNED for name in DEFAULT_OPERATORS]]
    assert learned.min() >= 0 and learned.max() <= 1
    assert (draw.magnitudes[:, 11:] == 1).all()
    error = 5 * learned.std(0) / MANY**0.5
    assert ((learned.mean(0) - mean).abs() <= error + 1e-6).all()
    if mean in (0, 1):
        assert (learned == mean).all()
    else:  # of its own for every image and operator, whether it acts or not
        assert len(learned.unique()) > 0.9 * learned.numel()
        assert learned.T.corrcoef().fill_diagonal_(0).abs().max() < 0.08


def test_magnitudes_are_the_last_random_numbers():
    """Gates, signs and positions do not depend on whether and how magnitudes are drawn."""
    plain, steep = LearnedAugmenter(), LearnedAugmenter(init={'magnitude': 0.9})
    a, b = drawn(plain, 50), drawn(steep, 50)
    assert torch.equal(a.gates, b.gates) and torch.equal(a.positions, b.positions)
    assert torch.equal(a.levels.sign(), b.levels.sign())
    assert (b.magnitudes[:, :11] > a.magnitudes[:, :11]).all()
    generator = torch.Generator().manual_seed(plain._generator.initial_seed())
    sizes = ((50, 14), (50, 14), (50, 14), (50, 2), (50, 14))
    *_, uniform = [torch.rand(size, generator=generator) for size in sizes]
    torch.testing.assert_close(a.magnitudes[:, :11], uniform[:, :11], atol=1e-6, rtol=0)


def test_positions_are_uniform():
    positions = drawn(LearnedAugmenter()).positions
    assert positions.min() >= 0 and positions.max() <= 1
    torch.testing.assert_close(positions.mean(0), torch.full((2,), 0.5), atol=0.02, rtol=0)
    torch.testing.assert_close(positions.var(0), torch.full((2,), 1 / 12), atol=0.005, rtol=0)


def test_reseed_determines_the_next_draws():
    first, second = LearnedAugmenter(), LearnedAugmenter()
    second.draw([(8, 8)] * 3)
    for key in [(0,), (7, 1, 2)]:
        first.reseed(*key)
        second.reseed(*(np.int64(part) for part in key))
        torch.manual_seed(hash(key))
        for _ in range(2):
            a, b = first.draw([(8, 8)] * 20), second.draw([(8, 8)] * 20)
            assert torch.equal(a.gates, b.gates) and torch.equal(a.matrix, b.matrix)
            assert torch.equal(a.positions, b.positions)


def test_each_part_of_the_key_counts():
    augmenter, seen = LearnedAugmenter(), set()
    keys = [(0,), (1,), (0, 0), (0, 1), (1, 0), (12, 3), (1, 23), (123,), (-1,), (2**40,)]
    for key in keys:
        augmenter.reseed(*key)
        seen.add(tuple(augmenter.draw([(8, 8)]).positions.flatten().tolist()))
    assert len(seen) == len(keys)


def test_start_follows_the_global_seed():
    draws = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        draws.append(LearnedAugmenter().draw([(8, 8)]).positions)
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


def test_drawing_leaves_the_global_random_state():
    augmenter = LearnedAugmenter()
    state = torch.get_rng_state()
    augmenter.draw([(8, 8)] * 4)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_map_is_exactly_the_identity_where_nothing_moves():
    augmenter = LearnedAugmenter(operators=['Invert', 'Rotate', 'Cutout'], num_ops=3)
    with torch.no_grad():
        augmenter.policy.probability_logits.copy_(torch.tensor([100.0, -100.0, 100.0]))
    draw = augmenter.draw([(6, 9)] * 2)
    assert torch.equal(draw.matrix, torch.eye(3).expand(2, 3, 3)) and draw.moved_images == ()


@pytest.mark.parametrize('num_ops', [2, 14])
def test_moved_lists_the_images_with_a_geometric_operator(num_ops):
    draw = drawn(LearnedAugmenter(num_ops=num_ops), 60)
    geometric = torch.tensor([name in GEOMETRIC for name in DEFAULT_OPERATORS])
    moved = (acting(draw) & geometric).any(1)
    indices = moved.nonzero().flatten()
    assert draw.moved_images == tuple(indices.tolist())
    assert torch.equal(draw.matrix[~moved], torch.eye(3).expand(int((~moved).sum()), 3, 3))


@given(
    gates=st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=5, max_size=5),
    levels=st.lists(st.floats(-1, 1), min_size=5, max_size=5),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
)
@settings(max_examples=40, deadline=None)
def test_composed_map_is_the_product_about_the_centre(gates, levels, height, width):
    operators = tuple(operator(name) for name in GEOMETRIC)
    gates, levels = (torch.tensor([row], dtype=torch.float64) for row in (gates, levels))
    extents = torch.tensor([[height, width]], dtype=torch.float64)
    eye = torch.eye(3, dtype=torch.float64)
    product = eye
    for i, op in enumerate(operators):
        product = (eye + gates[0, i] * (op.matrix(levels[:, i], extents)[0] - eye)) @ product
    to_centre = eye.clone()
    to_centre[:2, 2] = torch.tensor([width / 2, height / 2])
    expected = to_centre @ product @ torch.linalg.inv(to_centre)
    composed = compose(operators, gates, levels, extents)[0]
    torch.testing.assert_close(composed, expected, atol=1e-10, rtol=0)
    assert composed.det() > 0.2  # a blend never folds or collapses the image
    if not gates.any():
        assert torch.equal(composed, eye)


def test_quarter_turn_blends_stay_invertible():
    operators = (operator('Rotate', limit=90),)
    gates = torch.linspace(0, 1, 21)[:, None]
    maps = compose(operators, gates, torch.ones(21, 1), torch.full((21, 2), 8.0))
    assert (maps.det() >= 0.499).all()


def test_one_operator_gives_its_own_map():
    augmenter = LearnedAugmenter()
    size = (30, 50)
    rotate = draw_of(augmenter, [size], {'Rotate': 1}, {'Rotate': -0.5}).matrix.double()
    torch.testing.assert_close(rotate, rotation(-15, *size), atol=1e-5, rtol=0)
    shear = draw_of(augmenter, [size], {'ShearX': 1}, {'ShearX': 1}).matrix.double()
    torch.testing.assert_close(shear, about_centre([[1, 0.3], [0, 1]], *size), atol=1e-5, rtol=0)


def test_map_gradcheck():
    operators = tuple(operator(name) for name in GEOMETRIC)
    gates = torch.rand(2, 5, dtype=torch.float64, requires_grad=True)
    levels = (torch.rand(2, 5, dtype=torch.float64) * 2 - 1).requires_grad_()
    extents = torch.tensor([[7.0, 9.0], [5.0, 4.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda g, m: compose(operators, g, m, extents), (gates, levels))


def test_map_is_exact_under_mixed_precision():
    augmenter = LearnedAugmenter(num_ops=14)
    exact = drawn(augmenter, 3, size=(480, 800))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = drawn(augmenter, 3, size=(480, 800))
    assert torch.equal(exact.matrix, mixed.matrix) and torch.equal(exact.gates, mixed.gates)


def test_describe():
    augmenter = LearnedAugmenter()
    names = {'Rotate': 1, 'Posterize': 1, 'Invert': 1, 'ShearX': 0.4}
    draw = draw_of(augmenter, [(6, 6)], names, {'Rotate': -0.41, 'Posterize': 0.5})
    assert draw.describe(0) == 'Posterize 6 bits, Rotate -12.3 degrees, Invert'
    assert draw_of(augmenter, [(6, 6)], {}).describe(0) == 'unchanged'


def test_only_what_labels_need_leaves_the_host():
    draw = drawn(LearnedAugmenter(), 3)
    there = draw.to('meta')
    for tensor in (there.extents, there.matrix):
        assert tensor.device.type == 'meta'
    for name in ('gates', 'magnitudes', 'levels', 'positions'):
        assert getattr(there, name) is getattr(draw, name)
    assert len(there) == 3
    assert draw.gates.device.type == 'cpu'


def test_a_draw_on_a_device_has_not_left_the_host():
    draw = drawn(LearnedAugmenter(), 3)
    there = draw.to('meta')
    assert there.on(torch.device('meta')) is there
    assert there.on(torch.device('cpu')) is draw.on(torch.device('cpu')) is draw
    assert there.to('meta').on(torch.device('cpu')) is draw
    assert draw.on(torch.device('meta')).matrix.device.type == 'meta'
