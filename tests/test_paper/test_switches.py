"""Switches of the augmenter, each alone: squashing, gate, coordinates, clamp, Cutout."""

import pytest
import torch
from test_augment.helpers import ALWAYS, GEOMETRIC, NEVER, batch, normalised, operator, rotation

from tst_mm.augment import Normalization
from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.paper import PaperAugmenter, PaperPolicy
from tst_mm.paper.maps import compose

from .helpers import draw_of, imagenet_augmenter, recommended, with_logits

SIZES = [(24, 32)] * 2


def policy(squashing='double', init=None):
    return PaperPolicy([operator(name) for name in DEFAULT_OPERATORS], init, squashing)


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
        augmenter = with_logits(recommended(squashing='double', num_ops=14), logit)
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
    augmenter = recommended(coordinates='normalised')
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
    cutout = PaperAugmenter(preset='paper').operators[-1]
    extents = torch.tensor([[float(size), float(size)]])
    region = cutout.region(torch.ones(1), torch.full((1, 2), 0.5), extents, size, size)
    assert region.sum() == side * side
    positions = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0))
    many = cutout.region(torch.ones(2000), positions, extents.expand(2000, 2), size, size)
    assert many.mean().item() == pytest.approx(0.5625, abs=0.02)  # 56 % of the area


def test_cutout_of_the_paper_on_dense_tasks_is_128_pixels():
    cutout = PaperAugmenter(preset='paper_dense').operators[-1]
    for height, width in ((512, 1024), (200, 300)):
        extents = torch.tensor([[float(height), float(width)]])
        region = cutout.region(torch.ones(1), torch.full((1, 2), 0.5), extents, height, width)
        assert region.sum() == 128 * 128
    assert (cutout.physical(1.0), cutout.unit) == (128, 'pixels')
