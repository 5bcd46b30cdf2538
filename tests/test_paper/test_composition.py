"""How operators act together: residual and summed; in sequence see test_augmenter."""

from dataclasses import replace

import pytest
import torch
from test_augment.helpers import ALWAYS, COLOR, GEOMETRIC, NEVER, batch, expected_alone, operator

from tst_mm.augment import Normalization
from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.paper.composition import UnlimitedInfo
from tst_mm.paper.maps import compose

from .helpers import draw_from, draw_of, imagenet_augmenter, recommended, with_logits

SIZES = [(24, 32)] * 2


def test_residual_composition_adds_what_each_operator_changes():
    inputs, augmenter = batch(2), imagenet_augmenter(composition='residual', clamp=False)
    gates = {'Brightness': 0.7, 'Solarize': 1.0, 'Rotate': 0.4, 'ShearX': 1.0, 'Cutout': 0.5}
    draw = draw_of(augmenter, SIZES, gates, {'Brightness': 0.3, 'Solarize': 0.4, 'Rotate': 0.9})
    expected = inputs.clone()
    for name, gate in gates.items():
        alone = draw_of(
            augmenter, SIZES, {name: 1}, {'Brightness': 0.3, 'Solarize': 0.4, 'Rotate': 0.9}
        )
        expected += gate * (expected_alone(name, inputs, alone, UnlimitedInfo) - inputs)
    torch.testing.assert_close(augmenter.transform(inputs, draw), expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize('composition', ['residual', 'summed'])
@pytest.mark.parametrize('name', DEFAULT_OPERATORS)
def test_one_gate_one_is_that_operator(name, composition):
    inputs = batch(2)
    augmenter = with_logits(imagenet_augmenter(composition=composition, num_ops=14), NEVER)
    with torch.no_grad():
        augmenter.policy.probability_logits[DEFAULT_OPERATORS.index(name)] = ALWAYS
    augmenter.reseed(3)
    outputs, draw = augmenter(inputs, relaxed=True)
    matrix = compose(draw.operators, draw.gates, draw.levels, draw.extents)
    expected = expected_alone(name, inputs, replace(draw, matrix=matrix))
    torch.testing.assert_close(outputs, expected, atol=3e-4, rtol=0)


@pytest.mark.parametrize('name', [*COLOR, *GEOMETRIC, 'Cutout'])
def test_residual_slope_in_a_gate_is_what_the_operator_changes(name):
    """``dx'/dg_i = T_i(x) - x``, whatever the other gates are."""
    inputs, index = batch(1), DEFAULT_OPERATORS.index(name)
    augmenter = imagenet_augmenter(composition='residual', clamp=False)
    gates = torch.full((1, 14), 0.5)
    gates[0, index] = 0.3
    gates.requires_grad_()
    levels, positions = torch.full((1, 14), 0.7), torch.full((1, 2), 0.5)
    draw = draw_from(augmenter, SIZES[:1], gates, levels, positions, DEFAULT_OPERATORS)
    torch.manual_seed(0)
    weights = torch.randn_like(inputs)
    (augmenter.transform(inputs, draw) * weights).sum().backward()
    alone = draw_of(augmenter, SIZES[:1], {name: 1}, {name: 0.7})
    change = expected_alone(name, inputs, alone, UnlimitedInfo) - inputs
    torch.testing.assert_close(gates.grad[0, index], (weights * change).sum(), atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize('composition', ['residual', 'summed'])
def test_all_gates_zero_is_the_input_bit_for_bit(composition):
    inputs = batch(3)
    augmenter = imagenet_augmenter(composition=composition, num_ops=14)
    for relaxed in (False, True):
        outputs, draw = with_logits(augmenter, NEVER)(inputs, [(24, 32), (20, 32), (7, 5)], relaxed)
        assert torch.equal(outputs, inputs)
        assert torch.equal(draw.matrix, torch.eye(3).expand(3, 3, 3))


def test_a_residual_draw_has_no_map_for_labels():
    augmenter = with_logits(imagenet_augmenter(composition='residual', num_ops=14), ALWAYS)
    _, draw = augmenter(batch(2))
    assert draw.moved_images == () and torch.equal(draw.matrix, torch.eye(3).expand(2, 3, 3))
    assert not augmenter.labels_follow and imagenet_augmenter(composition='summed').labels_follow


def test_summed_matrices_are_those_of_one_sampling_grid():
    """``A = I + sum of g_i (A_i - I)``, of the maps from destination to source."""
    operators = tuple(operator(name) for name in GEOMETRIC)
    torch.manual_seed(2)
    gates, levels = torch.rand(3, 5).double(), torch.rand(3, 5).double() * 2 - 1
    extents = torch.tensor([[30.0, 50.0], [20.0, 20.0], [7.0, 90.0]]).double()
    eye = torch.eye(3).double()
    for row in range(3):
        to_centre = eye.clone()
        to_centre[:2, 2] = extents[row].flip(0) / 2
        total = eye.clone()
        for i, op in enumerate(operators):
            forward = op.matrix(levels[row, i : i + 1], extents[row : row + 1])[0]
            total += gates[row, i] * (torch.linalg.inv(forward) - eye)
        expected = to_centre @ torch.linalg.inv(total) @ torch.linalg.inv(to_centre)
        composed = compose(operators, gates, levels, extents, 'summed')[row]
        torch.testing.assert_close(composed, expected, atol=1e-10, rtol=0)
        assert composed.det() > 0.2


def test_summed_colours_then_one_sampling_then_erasing():
    inputs, augmenter = batch(2), imagenet_augmenter(composition='summed', clamp=False)
    gates = {'Brightness': 0.7, 'Invert': 0.5, 'Rotate': 1.0, 'Cutout': 1.0}
    levels = {'Brightness': 0.3, 'Rotate': 0.9}
    draw = draw_of(augmenter, SIZES, gates, levels)
    expected = inputs.clone()
    for name in ('Brightness', 'Invert'):
        expected += gates[name] * (expected_alone(name, inputs, draw, UnlimitedInfo) - inputs)
    expected = expected_alone('Cutout', expected_alone('Rotate', expected, draw), draw)
    torch.testing.assert_close(augmenter.transform(inputs, draw), expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize('composition', ['residual', 'summed'])
@pytest.mark.parametrize('coordinates', ['pixel', 'normalised'])
def test_gradcheck(composition, coordinates):
    names = ['Brightness', 'Contrast', 'Sharpness', 'ShearY', 'TranslateX', 'Rotate', 'Invert']
    augmenter = recommended(
        names,
        num_ops=7,
        temperature=2.0,
        init={'magnitude': 0.2},
        composition=composition,
        coordinates=coordinates,
        squashing='double',
        sharing='batch',
        clamp=False,
    )
    augmenter.normalization = Normalization((127.5,), (127.5,))
    augmenter.double()
    torch.manual_seed(0)
    inputs = (torch.rand(2, 1, 6, 5, dtype=torch.float64) - 0.5).requires_grad_()

    def run(images, *_):
        augmenter.reseed(1)
        return augmenter(images, [(6, 5), (5, 4)], relaxed=True)[0]

    assert torch.autograd.gradcheck(run, (inputs, *augmenter.policy.parameters()))


@pytest.mark.parametrize('composition', ['residual', 'summed'])
def test_padding_stays_and_neighbours_do_not_matter(composition):
    augmenter = imagenet_augmenter(composition=composition, num_ops=10)
    whole = batch(2, 20, 26)
    padded = torch.full((2, 3, 28, 33), 1.7)
    padded[..., :20, :26] = whole
    for key in range(3):
        augmenter.reseed(key)
        outputs, _ = augmenter(padded, [(20, 26)] * 2, relaxed=True)
        augmenter.reseed(key)
        alone, _ = augmenter(whole, relaxed=True)
        torch.testing.assert_close(outputs[..., :20, :26], alone, atol=3e-4, rtol=0)
        assert (outputs[..., 20:, :] == 1.7).all() and (outputs[..., 26:] == 1.7).all()
