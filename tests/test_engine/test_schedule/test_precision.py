"""Student steps and stages of the search in half precision; gradient accumulation."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from test_models import dense, helpers
from test_search import planted

from tst_mm.search import MeasuringSearch


def classification():
    return helpers.distiller(), helpers.batch()


def detection():
    student = dense.detector('retinanet')
    return dense.distiller('DetectionDistiller', student), dense.detection_data()


def segmentation():
    return dense.distiller('SegmentationDistiller', dense.segmentor()), dense.segmentation_data()


TASKS = {'classification': classification, 'detection': detection, 'segmentation': segmentation}


@pytest.mark.parametrize('task', TASKS)
def test_student_steps_in_half_precision_are_near_those_in_full(amp, task):
    model, data = TASKS[task]()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    found = []
    for wrapper in (OptimWrapper(torch.optim.SGD(trained, lr=0.0)), amp(trained, lr=0.0)):
        torch.manual_seed(0)
        model.augmenter.reseed(0)
        found.append({key: float(v) for key, v in model.train_step(data, wrapper).items()})
    exact, half = found
    assert half.keys() == exact.keys()
    assert half != exact  # it was not full precision
    for name, value in exact.items():
        assert half[name] == pytest.approx(value, rel=0.05, abs=0.02), name
    assert all(parameter.dtype == torch.float32 for parameter in trained)


def test_the_augmenter_stays_in_full_precision():
    augmenter = helpers.distiller().augmenter
    images = torch.randn(4, 3, 32, 32)
    augmenter.reseed(1)
    expected, _ = augmenter(images)
    augmenter.reseed(1)
    with torch.autocast('cpu', torch.bfloat16):
        found, draw = augmenter(images)
    assert torch.equal(found, expected)
    assert draw.matrix.dtype == torch.float32


def test_a_stage_in_half_precision_finds_what_one_in_full_finds():
    """The same draws: the losses differ by rounding, the effects by much less than their errors."""
    found = []
    for precision in (None, {'dtype': torch.bfloat16}):
        model = planted.distiller(('FlipX', 'FlipY', 'Grey'))
        search = MeasuringSearch()
        search.check(model)
        search.begin(model, 2, 2, precision)
        for step in range(2):
            model.augmenter.reseed(0, step)
            search.step(planted.batch(step))
        found.append(search.effects())
    exact, half = found
    assert not torch.equal(half.main, exact.main)  # it was not full precision
    assert half.main.dtype == torch.float64
    assert ((half.main - exact.main).abs() < 0.5 * exact.main_error).all()


def test_accumulated_steps_are_one_large_step():
    """Two halves of a batch; norm layers with stored statistics, which depend on no batch."""
    results = []
    data = helpers.batch(8)
    halves = [{k: v[i : i + 4] for k, v in data.items()} for i in (0, 4)]
    for batches in ([data], halves):
        torch.manual_seed(0)
        student = helpers.classifier(norm_eval=True)
        model = helpers.distiller(student, augmenter=None)
        optimizer = torch.optim.SGD(model.student.parameters(), lr=0.1)
        wrapper = OptimWrapper(optimizer, accumulative_counts=len(batches))
        for part in batches:
            model.train_step(part, wrapper)
        results.append(torch.cat([p.detach().flatten() for p in model.student.parameters()]))
    assert torch.allclose(*results, atol=1e-6)
