"""Relaxed draws, and what the switches of the published form do to a draw."""

import pytest
import torch
from test_augment.helpers import GEOMETRIC
from test_augment.test_draw import acting

from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.paper import relaxed_gate

from .helpers import recommended

MANY = 6000


def drawn(augmenter, count=MANY, relaxed=True):
    augmenter.reseed(0)
    return augmenter.draw([(8, 8)] * count, relaxed)


def test_gates_are_zero_where_not_drawn_and_only_there():
    draw = drawn(recommended(num_ops=4, temperature=5.0))
    assert torch.equal(draw.gates > 0, acting(draw))


def test_hard_gates_are_the_relaxed_ones_rounded():
    augmenter = recommended()
    relaxed, hard = drawn(augmenter, 500), drawn(augmenter, 500, relaxed=False)
    assert torch.equal(hard.gates, (relaxed.gates > 0.5).float())
    assert torch.equal(acting(hard), hard.gates.bool())
    assert torch.equal(hard.levels, relaxed.levels.detach())
    assert torch.equal(hard.magnitudes, relaxed.magnitudes.detach())
    assert not hard.gates.requires_grad and not hard.matrix.requires_grad


def test_relaxed_gates_are_those_of_the_noise():
    """At temperature 1 and logit 0 a gate is its noise: uniform."""
    draw = drawn(recommended(num_ops=14, temperature=1.0))
    uniform = (torch.arange(100_000) + 0.5) / 100_000
    expected = relaxed_gate(torch.tensor(0.0), uniform, 1.0)
    assert draw.gates.mean().item() == pytest.approx(0.5, abs=0.01)
    assert draw.gates.std().item() == pytest.approx(expected.std().item(), rel=0.02)


def test_positive_signs():
    assert (drawn(recommended(sign='positive'), 200).levels > 0).all()


def test_sharing():
    same = drawn(recommended(sharing='batch', num_ops=7), 50)
    assert torch.equal(same.gates, same.gates[:1].expand(50, -1))
    assert torch.equal(same.levels, same.levels[:1].expand(50, -1))
    assert all(index is None or not len(index) for index in same.acted_on)
    assert len(same.positions.unique(dim=0)) == 50
    own = drawn(recommended(sharing='sample', num_ops=7), 50)
    assert len(acting(own).unique(dim=0)) > 40


def test_drawing_leaves_the_global_random_state():
    augmenter = recommended()
    state = torch.get_rng_state()
    augmenter.draw([(8, 8)] * 4, relaxed=True)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_map_is_exactly_the_identity_where_nothing_moves():
    augmenter = recommended(operators=['Invert', 'Rotate', 'Cutout'], num_ops=3)
    with torch.no_grad():
        augmenter.policy.probability_logits.copy_(torch.tensor([100.0, -100.0, 100.0]))
    for relaxed in (False, True):
        draw = augmenter.draw([(6, 9)] * 2, relaxed)
        assert torch.equal(draw.matrix, torch.eye(3).expand(2, 3, 3))
    assert draw.moved_images == (0, 1)  # drawn, though the gate underflowed to 0
    assert augmenter.draw([(6, 9)] * 2).moved_images == ()


@pytest.mark.parametrize('num_ops', [2, 14])
def test_moved_lists_the_images_with_a_geometric_operator(num_ops):
    draw = drawn(recommended(num_ops=num_ops), 60)
    geometric = torch.tensor([name in GEOMETRIC for name in DEFAULT_OPERATORS])
    moved = (acting(draw) & geometric).any(1)
    indices = moved.nonzero().flatten()
    assert draw.moved_images == tuple(indices.tolist())
    assert torch.equal(draw.matrix[~moved], torch.eye(3).expand(int((~moved).sum()), 3, 3))


def test_to_and_detach():
    draw = drawn(recommended(), 3)
    assert draw.gates.requires_grad and draw.matrix.requires_grad and len(draw) == 3
    cut = draw.detach()
    assert not cut.gates.requires_grad and not cut.matrix.requires_grad
    assert torch.equal(cut.matrix, draw.matrix)
    there = draw.to('meta')
    tensors = [there.gates, there.levels, there.positions, there.extents, there.matrix]
    assert all(tensor.device.type == 'meta' for tensor in tensors)
