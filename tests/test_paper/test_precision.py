"""Both steps of the published form in half precision and with a loss scaler."""

from functools import partial

import pytest
import torch
from mmengine.optim import OptimWrapper
from test_models import dense, helpers

from tst_mm.paper import flip_box_loss, flip_softmax_logits

from .helpers import dense_distiller, distiller


def classification():
    return distiller(), helpers.batch()


def detection():
    student = dense.detector('retinanet')
    return dense_distiller('DetectionDistiller', student), dense.detection_data()


def segmentation():
    student = dense.segmentor()
    return dense_distiller('SegmentationDistiller', student), dense.segmentation_data()


TASKS = {'classification': classification, 'detection': detection, 'segmentation': segmentation}


def step(model, data, wrapper, kind):
    """One step with fixed draws; its outputs."""
    torch.manual_seed(0)
    model.augmenter.reseed(0)
    run = model.train_step if kind == 'student' else partial(model.objective.step, model)
    return {name: float(value) for name, value in run(data, wrapper).items()}


@pytest.mark.parametrize('task', TASKS)
@pytest.mark.parametrize('kind', ['student', 'augmenter'])
def test_half_precision_is_near_full_precision(amp, task, kind):
    model, data = TASKS[task]()
    trained = model.parameters() if kind == 'student' else model.augmenter.policy.parameters()
    trained = [parameter for parameter in trained if parameter.requires_grad]
    exact = step(model, data, OptimWrapper(torch.optim.SGD(trained, lr=0.0)), kind)
    half = step(model, data, amp(trained, lr=0.0), kind)
    assert half.keys() == exact.keys()
    assert half != exact  # it was not full precision
    for name, value in exact.items():
        assert half[name] == pytest.approx(value, rel=0.05, abs=0.02), name
    assert all(parameter.dtype == torch.float32 for parameter in trained)


def test_the_augmenter_stays_in_full_precision():
    augmenter = distiller().augmenter
    images = torch.randn(4, 3, 32, 32)
    augmenter.reseed(1)
    expected, _ = augmenter(images)
    augmenter.reseed(1)
    with torch.autocast('cpu', torch.bfloat16):
        found, draw = augmenter(images)
    assert torch.equal(found, expected)
    assert draw.matrix.dtype == torch.float32


def test_a_scale_does_not_change_the_policy(amp):
    """Scaled through both losses and the augmenter, unscaled before the step."""
    policies = []
    for scale in (1.0, 2.0**12):
        model, data = classification()
        torch.manual_seed(3)
        for parameter in model.student.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        parameters = model.augmenter.policy.parameters()
        step(model, data, amp(parameters, scale, dtype='bfloat16', lr=1.0), 'augmenter')
        policies.append(helpers.policy_of(model))
    assert torch.allclose(*policies, rtol=1e-3, atol=1e-5)
    assert policies[0].any()


@pytest.mark.parametrize('kind', ['student', 'augmenter'])
def test_an_overflow_is_left_out_and_lowers_the_scale(amp, kind):
    model, data = classification()
    trained = list((model.student if kind == 'student' else model.augmenter.policy).parameters())
    before = [parameter.clone() for parameter in trained]
    wrapper = amp(trained, scale=1e38, lr=1.0)
    for parameter in trained:
        parameter.register_hook(lambda gradient: gradient * 1e30)
    step(model, data, wrapper, kind)
    assert wrapper.loss_scaler.get_scale() == pytest.approx(5e37)
    assert all(torch.equal(a, b) for a, b in zip(trained, before, strict=True))
    for parameter in trained:
        parameter._backward_hooks.clear()
    wrapper.loss_scaler.update(new_scale=8.0)
    step(model, data, wrapper, kind)
    assert not all(torch.equal(a, b) for a, b in zip(trained, before, strict=True))
    assert all(parameter.isfinite().all() for parameter in trained)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_flips_have_no_infinity_in_half_precision(dtype):
    """A certain student: p = 1, where log(1 - p) would be minus infinity."""
    top = torch.finfo(torch.float16).max
    logits = torch.tensor([[top, -top, 0.0], [0.0, 0.0, 0.0]], dtype=dtype, requires_grad=True)
    flipped = flip_softmax_logits(logits)
    assert flipped.dtype == torch.float32 and flipped.isfinite().all()
    flipped.sum().backward()
    assert logits.grad.isfinite().all()
    losses = torch.tensor([0.0, 1e-6, 1.0, top], dtype=dtype, requires_grad=True)
    flip_box_loss(losses).sum().backward()
    assert losses.grad.isfinite().all()
