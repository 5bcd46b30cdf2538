"""Each deviation from the paper as its own switch, and all together as a preset."""

from dataclasses import replace

import pytest
import torch

from tst_mm.augment import AugmentPolicy, LearnedAugmenter, Normalization
from tst_mm.augment.composition import Setting, residual
from tst_mm.augment.draw import compose
from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.augment.presets import PRESETS

from .helpers import (
    ALWAYS,
    COLOR,
    GEOMETRIC,
    NEVER,
    batch,
    draw_from,
    draw_of,
    expected_alone,
    imagenet_augmenter,
    normalised,
    operator,
    rotation,
    with_logits,
)

SIZES = [(24, 32)] * 2


def policy(squashing='double', init=None):
    return AugmentPolicy([operator(name) for name in DEFAULT_OPERATORS], init, squashing)


# squashing


def test_double_squashing_starts_at_0_62246_and_stays_between_the_limits():
    double = policy()
    torch.testing.assert_close(double.rates(), torch.full((14,), 0.62246), atol=5e-6, rtol=0)
    for logit, limit in ((NEVER, 0.5), (ALWAYS, 0.73106)):
        torch.nn.init.constant_(double.probability_logits, logit)
        torch.testing.assert_close(double.rates(), torch.full((14,), limit), atol=5e-6, rtol=0)
    assert torch.equal(double.magnitudes(), policy('single').magnitudes())


def test_double_squashing_feeds_the_rate_as_the_logit_of_the_gate():
    """How often an operator acts is what the policy says it is."""
    for logit, rate in ((NEVER, 0.5), (0.0, 0.62246), (ALWAYS, 0.73106)):
        augmenter = with_logits(LearnedAugmenter(squashing='double', num_ops=14), logit)
        augmenter.reseed(1)
        share = augmenter.draw([(8, 8)] * 6000).gates.mean().item()
        assert share == pytest.approx(rate, abs=0.008)


def test_files_have_true_rates_in_both_modes():
    double = policy()
    with torch.no_grad():
        double.probability_logits.copy_(torch.linspace(-3, 3, 14))
    data = double.to_dict()
    assert [entry['rate'] for entry in data['operators']] == double.rates().tolist()
    for squashing in ('single', 'double'):
        other = policy(squashing)
        other.from_dict(data)
        torch.testing.assert_close(other.rates(), double.rates(), atol=1e-6, rtol=0)


def test_rates_that_double_squashing_cannot_reach_are_refused():
    with pytest.raises(ValueError, match=r'rate of Brightness is 0.2; allowed: 0.5 to 0.7311'):
        policy(init={'rate': 0.2})
    assert policy(init={'rate': 0.5, 'magnitude': 0.0}).rates().min().item() == pytest.approx(
        0.5, abs=1e-4
    )
    assert policy(init={'rate': 0.73106}).rates().max().item() == pytest.approx(0.73106, abs=1e-4)
    with pytest.raises(ValueError, match="squashing is 'doubel'; did you mean 'double'"):
        policy('doubel')


# gate


def test_relaxed_gates_in_the_student_stage():
    augmenter = imagenet_augmenter(gate='relaxed', temperature=1.0)
    augmenter.reseed(4)
    _, student = augmenter(batch(2))
    augmenter.reseed(4)
    _, stage = augmenter(batch(2), relaxed=True)
    assert torch.equal(student.gates, stage.gates) and torch.equal(student.matrix, stage.matrix)
    assert ((student.gates > 0) & (student.gates < 1)).sum() == 8
    assert stage.gates.requires_grad and not student.gates.requires_grad
    assert not augmenter(batch(2))[0].requires_grad


# composition


def test_residual_composition_adds_what_each_operator_changes():
    inputs, augmenter = batch(2), imagenet_augmenter(composition='residual', clamp=False)
    gates = {'Brightness': 0.7, 'Solarize': 1.0, 'Rotate': 0.4, 'ShearX': 1.0, 'Cutout': 0.5}
    draw = draw_of(augmenter, SIZES, gates, {'Brightness': 0.3, 'Solarize': 0.4, 'Rotate': 0.9})
    expected = inputs.clone()
    for name, gate in gates.items():
        alone = draw_of(
            augmenter, SIZES, {name: 1}, {'Brightness': 0.3, 'Solarize': 0.4, 'Rotate': 0.9}
        )
        expected += gate * (expected_alone(name, inputs, alone, clamp=False) - inputs)
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
    change = expected_alone(name, inputs, alone, clamp=False) - inputs
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
        expected += gates[name] * (expected_alone(name, inputs, draw, clamp=False) - inputs)
    expected = expected_alone('Cutout', expected_alone('Rotate', expected, draw), draw)
    torch.testing.assert_close(augmenter.transform(inputs, draw), expected, atol=2e-4, rtol=0)


@pytest.mark.parametrize('composition', ['residual', 'summed'])
@pytest.mark.parametrize('coordinates', ['pixel', 'normalised'])
def test_gradcheck(composition, coordinates):
    names = ['Brightness', 'Contrast', 'Sharpness', 'ShearY', 'TranslateX', 'Rotate', 'Invert']
    augmenter = LearnedAugmenter(
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


# coordinates


@pytest.mark.parametrize('name', GEOMETRIC)
def test_normalised_coordinates_are_pixels_on_a_square(name):
    operators = (operator(name),)
    gates, levels = torch.ones(1, 1), torch.full((1, 1), 0.7)
    square = torch.tensor([[40.0, 40.0]])
    pixel = compose(operators, gates, levels, square)
    other = compose(operators, gates, levels, square, coordinates='normalised')
    torch.testing.assert_close(pixel, other, atol=1e-4, rtol=0)


def test_in_normalised_coordinates_a_rotation_shears_where_the_image_is_not_square():
    augmenter = LearnedAugmenter(coordinates='normalised')
    operators = (operator('Rotate'),)
    extents = torch.tensor([[50.0, 100.0]]).double()
    args = (operators, torch.ones(1, 1).double(), torch.ones(1, 1).double(), extents)
    turned = compose(*args, coordinates=augmenter.coordinates)
    linear = turned[0, :2, :2]
    expected = torch.diag(torch.tensor([2.0, 1.0]).double()) @ rotation(30, 1, 1)[0, :2, :2]
    expected = expected @ torch.diag(torch.tensor([0.5, 1.0]).double())
    torch.testing.assert_close(linear, expected, atol=1e-9, rtol=0)
    assert not torch.allclose(linear @ linear.T, torch.eye(2).double(), atol=0.1)
    centre = turned[0] @ torch.tensor([50.0, 25.0, 1.0]).double()
    torch.testing.assert_close(centre[:2], torch.tensor([50.0, 25.0]).double())


# clamp and Cutout


@pytest.mark.parametrize('composition', ['sequence', 'residual', 'summed'])
def test_clamp(composition):
    inputs = normalised(torch.full((2, 3, 24, 32), 0.9))
    low, high = Normalization().limits()
    for clamp in (True, False):
        augmenter = imagenet_augmenter(composition=composition, clamp=clamp)
        draw = draw_of(augmenter, SIZES, {'Brightness': 1, 'Contrast': 1}, {'Brightness': 0.8})
        outputs = augmenter.transform(inputs, draw)
        low, high = augmenter.normalization.limits()
        assert bool((outputs > high + 1e-3).any()) != clamp
        assert bool((outputs >= low - 1e-3).all())


@pytest.mark.parametrize(('size', 'side'), [(32, 32), (224, 224)])
def test_cutout_of_the_paper_is_as_large_as_the_image(size, side):
    cutout = LearnedAugmenter(preset='paper').operators[-1]
    extents = torch.tensor([[float(size), float(size)]])
    region = cutout.region(torch.ones(1), torch.full((1, 2), 0.5), extents, size, size)
    assert region.sum() == side * side
    positions = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0))
    many = cutout.region(torch.ones(2000), positions, extents.expand(2000, 2), size, size)
    assert many.mean().item() == pytest.approx(0.5625, abs=0.02)  # 56 % of the area


def test_cutout_of_the_paper_on_dense_tasks_is_128_pixels():
    cutout = LearnedAugmenter(preset='paper_dense').operators[-1]
    for height, width in ((512, 1024), (200, 300)):
        extents = torch.tensor([[float(height), float(width)]])
        region = cutout.region(torch.ones(1), torch.full((1, 2), 0.5), extents, height, width)
        assert region.sum() == 128 * 128
    assert (cutout.physical(1.0), cutout.unit) == (128, 'pixels')


# presets


def test_the_recommended_preset_is_the_default():
    inputs = batch(3)
    images = []
    for kwargs in ({}, {'preset': 'recommended'}):
        augmenter = imagenet_augmenter(**kwargs)
        augmenter.reseed(3)
        images.append(augmenter(inputs)[0])
    assert torch.equal(*images)


@pytest.mark.parametrize('preset', ['paper', 'paper_dense'])
def test_a_preset_only_sets_arguments(preset):
    explicit = {
        **PRESETS[preset],
        'ranges': {'Cutout': 1.0 if preset == 'paper' else {'pixels': 128}},
    }
    inputs, images = batch(3), []
    for kwargs in ({'preset': preset}, explicit):
        augmenter = imagenet_augmenter(**kwargs)
        augmenter.reseed(3)
        images.append(augmenter(inputs, relaxed=True)[0])
    assert torch.equal(*images)


@pytest.mark.parametrize('key', [key for key in PRESETS['paper'] if key != 'operators'])
def test_an_explicit_argument_wins(key):
    ours = PRESETS['recommended'][key]
    augmenter = LearnedAugmenter(preset='paper', **{key: ours})
    found = {**vars(augmenter), 'squashing': augmenter.policy.squashing}
    for other, theirs in PRESETS['paper'].items():
        if other != 'operators':
            assert found[other] == (ours if other == key else theirs), other


def test_explicit_operators_and_ranges_win():
    closed = LearnedAugmenter(preset='paper', operators='closed_form', ranges={'Cutout': 0.25})
    assert type(closed.operators[0]).__name__ == 'Brightness'
    assert closed.operators[-1].limit == 0.25
    own = LearnedAugmenter(preset='paper', operators=['Invert', 'Rotate'], num_ops=1)
    assert own.policy.names == ('Invert', 'Rotate')
    side = LearnedAugmenter(preset='paper', operators=[{'type': 'Cutout', 'limit': 0.1}], num_ops=1)
    assert side.operators[0].limit == 0.1


def test_the_whole_paper_preset():
    augmenter, inputs = imagenet_augmenter(preset='paper'), batch(4)
    augmenter.reseed(5)
    outputs, draw = augmenter(inputs)
    assert augmenter.policy.names == DEFAULT_OPERATORS
    assert sum(parameter.numel() for parameter in augmenter.parameters()) == 25
    torch.testing.assert_close(
        augmenter.policy.rates(), torch.full((14,), 0.62246), atol=5e-6, rtol=0
    )
    assert torch.equal(draw.gates, draw.gates[:1].expand(4, -1)) and (draw.gates > 0).sum() <= 16
    assert (draw.levels > 0).all()
    expected = inputs.clone()
    for i, op in enumerate(draw.operators):
        if draw.gates[0, i]:
            one = draw_from(
                augmenter, [(24, 32)] * 4, torch.ones(4, 14), draw.levels, draw.positions, [op.name]
            )
            setting = Setting(augmenter.normalization, None, False, 'normalised')
            expected += draw.gates[0, i] * (residual(inputs, one, setting) - inputs)
    torch.testing.assert_close(outputs, expected, atol=1e-4, rtol=0)
    assert torch.equal(augmenter.transform(inputs, draw), outputs)


@pytest.mark.parametrize('preset', ['paper', 'paper_dense'])
def test_all_scalars_of_a_preset_learn(preset):
    augmenter = imagenet_augmenter(preset=preset, num_ops=14, temperature=1.0)
    (augmenter(batch(2), relaxed=True)[0] ** 2).sum().backward()
    assert augmenter.policy.probability_logits.grad.abs().min() > 0
    assert augmenter.policy.magnitude_logits.grad.abs().min() > 0
    assert augmenter.policy.magnitude_logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ('kwargs', 'words'),
    [
        (dict(preset='papper'), ["preset of LearnedAugmenter is 'papper'", "did you mean 'paper'"]),
        (dict(operators='fited'), ["operators is 'fited'", "did you mean 'fitted'"]),
        (dict(gate='soft'), ["gate is 'soft'", 'hard, relaxed']),
        (dict(squashing='twice'), ["squashing is 'twice'", 'single, double']),
        (dict(composition='sum'), ["composition is 'sum'", "did you mean 'summed'"]),
        (dict(coordinates='pixels'), ["coordinates is 'pixels'", "did you mean 'pixel'"]),
        (dict(clamp=1), ['clamp is 1', 'True, False']),
        (dict(operators='fitted', ranges=dict(Rotate=45)), ["'Rotate'", 'no other range than 30']),
        (dict(ranges=dict(Cutout=dict(limit=0.5, pixels=3))), ['limit and pixels']),
        (dict(ranges=dict(Cutout=dict(pixels=0))), ['Cutout is 0', '1 to 10000 pixels']),
    ],
)
def test_wrong_arguments(kwargs, words):
    with pytest.raises(ValueError) as caught:
        LearnedAugmenter(**kwargs)
    assert all(word in str(caught.value) for word in words), str(caught.value)
