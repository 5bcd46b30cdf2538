"""LearnedAugmenter: what reaches the 25 scalars, and when they are read again."""

import copy

import pytest
import torch
from test_augment.helpers import ALWAYS, COLOR, LEARNED, NEVER, batch, expected_alone

from tst_mm.augment import Normalization
from tst_mm.augment.operators import DEFAULT_OPERATORS

from .helpers import draw_from, forced, imagenet_augmenter, recommended, with_logits


@pytest.mark.parametrize('name', [*COLOR, 'Cutout'])
def test_slope_in_a_gate_is_what_the_operator_changes(name):
    """The slope is T(x) - x, here through random weights and at a gate of 0.3."""
    inputs = batch(1)
    augmenter = imagenet_augmenter()
    index = DEFAULT_OPERATORS.index(name)
    gates = torch.zeros(1, 14).index_fill(1, torch.tensor(index), 0.3).requires_grad_()
    levels, positions = torch.full((1, 14), 0.7), torch.full((1, 2), 0.5)
    draw = draw_from(augmenter, [(24, 32)], gates, levels, positions, [name])
    torch.manual_seed(0)
    weights = torch.randn_like(inputs)
    (augmenter.transform(inputs, draw) * weights).sum().backward()
    change = expected_alone(name, inputs, draw.detach()) - inputs
    torch.testing.assert_close(gates.grad[0, index], (weights * change).sum(), atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize('logit', [NEVER, ALWAYS])
@pytest.mark.parametrize('name', LEARNED)
def test_slope_in_a_magnitude_is_zero_where_the_gate_is(name, logit):
    augmenter = forced(*([name] if logit == ALWAYS else []))
    outputs, _ = augmenter(batch(2), relaxed=True)
    torch.manual_seed(0)
    (outputs * torch.randn_like(outputs)).sum().backward()
    gradient = augmenter.policy.magnitude_logits.grad
    position = LEARNED.index(name)
    assert gradient.isfinite().all()
    others = torch.arange(11) != position
    assert not gradient[others].any()
    assert bool(gradient[position]) == (logit == ALWAYS)


@pytest.mark.parametrize('sharing', ['batch', 'sample'])
def test_operators_that_were_not_drawn_get_no_gradient(sharing):
    augmenter = imagenet_augmenter(num_ops=3, sharing=sharing, temperature=1.0)
    inputs = batch(2)
    for key in range(5):
        augmenter.reseed(key)
        outputs, draw = augmenter(inputs, relaxed=True)
        augmenter.zero_grad()
        (outputs**2).sum().backward()
        drawn = torch.tensor([index is None or len(index) > 0 for index in draw.acted_on])
        assert drawn.sum() == 3 if sharing == 'batch' else 3 <= drawn.sum() <= 6
        gates = augmenter.policy.probability_logits.grad
        magnitudes = augmenter.policy.magnitude_logits.grad
        assert torch.equal(gates != 0, drawn)
        assert torch.equal(magnitudes != 0, drawn[:11])


@pytest.mark.parametrize('logit', [-20.0, 0.0, 20.0])
def test_gradients_are_finite_at_extreme_policies(logit):
    augmenter = with_logits(imagenet_augmenter(num_ops=14), logit)
    torch.nn.init.constant_(augmenter.policy.magnitude_logits, logit)
    inputs = torch.cat([batch(2), torch.zeros(1, 3, 24, 32), torch.full((1, 3, 24, 32), 2.6)])
    inputs.requires_grad_()
    outputs, _ = augmenter(inputs, relaxed=True)
    (outputs**2).sum().backward()
    for tensor in (inputs, *augmenter.policy.parameters()):
        assert tensor.grad.isfinite().all()


def test_gradcheck_through_everything():
    """The smooth operators, half-open gates, all 10 scalars, and the image, in fp64."""
    names = ['Brightness', 'Contrast', 'Sharpness', 'ShearY', 'TranslateX', 'Rotate', 'Invert']
    augmenter = recommended(names, num_ops=7, temperature=2.0, init={'magnitude': 0.2})
    augmenter.normalization = Normalization((127.5,), (127.5,))
    augmenter.double()
    torch.manual_seed(0)
    inputs = (torch.rand(2, 1, 6, 5, dtype=torch.float64) - 0.5).requires_grad_()

    def run(images, *_):
        augmenter.reseed(1)
        return augmenter(images, [(6, 5), (5, 4)], relaxed=True)[0]

    assert torch.autograd.gradcheck(run, (inputs, *augmenter.policy.parameters()))


def test_the_student_stage_builds_no_graph():
    outputs, draw = imagenet_augmenter()(batch(3))
    assert not outputs.requires_grad and not draw.gates.requires_grad


# The policy on the host


@pytest.mark.parametrize('kind', ['plain', 'foreach', 'fused', 'load_state_dict', 'double'])
def test_hard_draws_see_every_change_of_the_policy(kind):
    augmenter = imagenet_augmenter(num_ops=14)
    augmenter.draw([(8, 8)])
    policy = augmenter.policy
    if kind == 'load_state_dict':
        state = {key: torch.full_like(value, ALWAYS) for key, value in policy.state_dict().items()}
        policy.load_state_dict(state)
    else:
        if kind == 'double':
            augmenter.double()
        options = {} if kind in ('plain', 'double') else {kind: True}
        optimizer = torch.optim.SGD(policy.parameters(), lr=ALWAYS, **options)
        draw = augmenter.draw([(8, 8)], relaxed=True)
        (-draw.gates.sum() * 0 - policy.probability_logits.sum()).backward()
        policy.magnitude_logits.grad = -torch.ones_like(policy.magnitude_logits)
        optimizer.step()
    assert (policy.probability_logits == ALWAYS).all()
    draw = augmenter.draw([(8, 8)] * 4)
    assert (draw.gates == 1).all()
    torch.testing.assert_close(draw.levels.abs(), torch.ones_like(draw.levels))


def test_state_and_copies():
    augmenter = imagenet_augmenter()
    assert set(augmenter.state_dict()) == {
        'policy.probability_logits',
        'policy.magnitude_logits',
    }
    twin = copy.deepcopy(augmenter)
    first, second = augmenter.draw([(8, 8)] * 9), twin.draw([(8, 8)] * 9)
    assert torch.equal(first.positions, second.positions)
    with_logits(twin, ALWAYS)
    assert augmenter.policy.rates().max() == 0.5
