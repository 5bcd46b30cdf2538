"""Gates: the paper's relaxed Bernoulli in closed form, and its hard version."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tst_mm.augment import hard_gate
from tst_mm.paper import relaxed_gate

GRID = (torch.arange(400_000, dtype=torch.float64) + 0.5) / 400_000


def test_value_and_slope_to_the_digits_given():
    logit = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    gate = relaxed_gate(logit, torch.tensor(0.4, dtype=torch.float64), temperature=0.05)
    gate.backward()
    assert gate.item() == pytest.approx(0.108196, abs=5e-7)
    assert logit.grad.item() == pytest.approx(1.929792, abs=5e-7)


@pytest.mark.parametrize('logit', [-3.0, -0.7, 0.0, 0.3, 2.5])
def test_mean_slope_is_that_of_the_rate(logit):
    gate = relaxed_gate(torch.tensor(logit, dtype=torch.float64), GRID)
    rate = torch.sigmoid(torch.tensor(logit)).item()
    slope = (gate * (1 - gate) / 0.05).mean().item()
    assert slope == pytest.approx(rate * (1 - rate), rel=0.01)


@pytest.mark.parametrize('logit', [-6.0, -1.0, 0.0, 0.62, 6.0])
def test_hard_rate_is_the_sigmoid_of_the_logit(logit):
    rate = hard_gate(torch.tensor(logit, dtype=torch.float64), GRID).double().mean().item()
    assert rate == pytest.approx(torch.sigmoid(torch.tensor(logit)).item(), abs=1e-5)


@pytest.mark.parametrize(
    ('logit', 'limit'), [(0.0, 0.62246), (-1e3, 0.5), (1e3, 0.73106)], ids=['start', 'low', 'high']
)
def test_the_rate_as_logit_would_be_confined(logit, limit):
    """The reference's fault: no operator can be switched off."""
    confined = torch.sigmoid(torch.tensor(logit, dtype=torch.float64))
    ours = hard_gate(torch.tensor(logit, dtype=torch.float64), GRID).double().mean()
    assert hard_gate(confined, GRID).double().mean().item() == pytest.approx(limit, abs=1e-5)
    assert ours.item() == pytest.approx({0.0: 0.5, -1e3: 0.0, 1e3: 1.0}[logit], abs=1e-5)


@given(logit=st.floats(-12, 12), uniform=st.floats(1e-6, 1 - 1e-6), temperature=st.floats(0.01, 5))
@settings(max_examples=100, deadline=None)
def test_hard_gate_is_the_relaxed_one_rounded(logit, uniform, temperature):
    logit, uniform = torch.tensor([logit, uniform], dtype=torch.float64)
    relaxed = relaxed_gate(logit, uniform, temperature)
    assert bool(hard_gate(logit, uniform)) == bool(relaxed > 0.5)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_nothing_is_infinite_at_the_ends_of_the_noise(dtype):
    eps = torch.finfo(dtype).eps
    uniform = torch.tensor([0.0, eps, 1 - eps, 1.0], dtype=dtype).expand(3, 4)
    logit = torch.tensor([[-80.0], [0.0], [80.0]], dtype=dtype, requires_grad=True)
    gate = relaxed_gate(logit, uniform)
    gate.sum().backward()
    assert ((gate >= 0) & (gate <= 1)).all()
    assert logit.grad.isfinite().all()


def test_gradcheck():
    logit = torch.linspace(-0.2, 0.2, 5, dtype=torch.float64, requires_grad=True)
    uniform = torch.linspace(0.45, 0.55, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: relaxed_gate(x, uniform), logit)


def test_a_gate_per_sample_and_operator():
    logits, uniform = torch.zeros(14), torch.rand(6, 14)
    assert relaxed_gate(logits, uniform).shape == (6, 14)
    assert hard_gate(logits, uniform).dtype is torch.bool
