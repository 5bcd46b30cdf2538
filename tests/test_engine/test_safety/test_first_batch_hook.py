"""A run checks itself on its first batch: planted faults are named, healthy runs go on."""

from contextlib import nullcontext
from copy import deepcopy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper
from test_models import dense
from torch import nn

from tst_mm.engine.dry_run import dry_run
from tst_mm.engine.launch import build_runner
from tst_mm.engine.safety import FirstBatchHook
from tst_mm.engine.safety.first_batch_checks import CHECKS
from tst_mm.engine.safety.model_state import changed, random_states, state_of
from tst_mm.models.distillers.base import BaseDistiller
from tst_mm.registry import MODELS
from tst_mm.utils.hooks import find_hook

from ..toy import STUDENT, toy_config

STAGES = {'stages': [{'begin': 1, 'iters': 2}]}


def look(runner, data=None):
    """Check a batch, the first of the run by default."""
    hook = FirstBatchHook()
    if isinstance(runner.optim_wrapper, dict):
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    hook.before_run(runner)
    return hook.look(runner, next(iter(runner.train_dataloader)) if data is None else data)


def parts_of(runner):
    model = runner.model
    return state_of(
        student=model.student,
        teacher=model.teacher.model,
        distiller=model.distiller,
        augmenter=model.augmenter,
        generators=random_states(),
    )


def losses_of(monkeypatch, change):
    """Change what the student step returns, by a function of (own, distilled)."""
    original = BaseDistiller.distilled

    def spoiled(self, *args):
        return change(*original(self, *args))

    monkeypatch.setattr(BaseDistiller, 'distilled', spoiled)


# Ten faults


def test_a_distillation_loss_of_zero(make_runner, monkeypatch):
    losses_of(monkeypatch, lambda own, kd: (own, {name: value * 0 for name, value in kd.items()}))
    with pytest.raises(ValueError, match=r'fails distillation: loss_kd is 0, not above 0.*plan'):
        look(make_runner('run', STAGES))


def test_a_distillation_loss_without_gradient(make_runner, monkeypatch):
    losses_of(monkeypatch, lambda own, kd: (own, {name: v.detach() for name, v in kd.items()}))
    with pytest.raises(ValueError, match=r'distillation: loss_kd has no gradient into'):
        look(make_runner('run', STAGES))


def test_a_label_that_stays():
    data = dense.segmentation_data()
    for sample in data['data_samples']:
        sample.gt_heights = torch.rand(64, 96)
    with pytest.raises(ValueError, match=r'fails labels: gt_heights \(64, 96\) stays where it is'):
        look(dense_runner('SegmentationDistiller', dense.segmentor()), data)


@pytest.mark.parametrize(
    ('change', 'kind'),
    [
        (lambda x: x / 255, 'images of 0 to 1'),
        (lambda x: (x / 255 - 0.3) / 0.35, 'images that are normalised already'),
        (lambda x: x * 257, 'images of 16 bits'),
    ],
    ids=['0 to 1', 'normalised', '16 bits'],
)
@pytest.mark.parametrize('augmenter', [True, False], ids=['', 'plain'])
def test_images_of_another_range(make_runner, change, kind, augmenter):
    runner = make_runner('run', STAGES) if augmenter else plain(make_runner)
    data = next(iter(runner.train_dataloader))
    data['inputs'] = change(data['inputs'].float())
    with pytest.raises(ValueError, match=rf'fails range: images have values .*{kind}'):
        look(runner, data)


class Counting(nn.Module):
    """A layer with a buffer and an attribute that change when it looks at something."""

    def __init__(self):
        super().__init__()
        self.register_buffer('seen', torch.zeros(()))
        self.count = 0

    def forward(self, x):
        self.seen += 1
        self.count += 1
        return x


@pytest.mark.parametrize('what', ['seen', 'count', 'weight'])
def test_a_stage_that_changes_something(make_runner, monkeypatch, what):
    runner = make_runner('run', STAGES)
    neck = runner.model.student.neck
    runner.model.student.neck = nn.Sequential(neck)
    original = BaseDistiller.score
    layer = Counting()
    runner.model.student.neck.add_module('counting', layer)

    def score(self, *args, **kwargs):
        found = original(self, *args, **kwargs)
        with torch.no_grad():
            if what == 'weight':
                self.student.head.fc.weight.mul_(1 + 1e-6)
            else:
                setattr(layer, what, getattr(layer, what) + 1)
        return found

    monkeypatch.setattr(BaseDistiller, 'score', score)
    monkeypatch.setattr(runner.model.student.neck, 'forward', lambda feats: neck(feats))
    with pytest.raises(ValueError, match=rf'fails stage: .*changes student\.[\w.]*{what}'):
        look(runner)


def test_state_that_nothing_puts_back(make_runner, monkeypatch):
    """Scoring without its protection leaves counters changed."""
    runner = make_runner('run', STAGES)
    forward, head = runner.model.student.head.forward, runner.model.student.head
    head.calls = [0]

    def counted(feats):
        head.calls[0] += 1
        return forward(feats)

    monkeypatch.setattr(head, 'forward', counted)
    assert 'stage: ' in look(runner)
    assert head.calls == [0]
    monkeypatch.setattr('tst_mm.models.distillers.scoring.unchanged', lambda *models: nullcontext())
    with pytest.raises(ValueError, match=r'fails stage: .*student\.head\.calls\.0'):
        look(runner)


def test_a_loss_that_is_not_summed(make_runner, monkeypatch):
    losses_of(monkeypatch, lambda own, kd: ({**own, 'centre': own['loss'] * 2}, kd))
    runner = make_runner('run', STAGES)
    told = []
    monkeypatch.setattr(runner.logger, 'warning', told.append)
    look(runner)
    (words,) = [words for words in told if 'losses' in words]
    assert 'centre = ' in words and "Call it 'loss_centre'" in words


def test_an_untrained_teacher(make_runner, tmp_path):
    torch.manual_seed(0)
    teacher = MODELS.build(deepcopy(STUDENT))
    with torch.no_grad():
        teacher.head.fc.weight.mul_(30)
    torch.save(teacher.state_dict(), tmp_path / 'teacher.pth')
    model = toy_config('', STAGES).model
    model.teacher.checkpoint = str(tmp_path / 'teacher.pth')
    loader = toy_config('', STAGES).train_dataloader
    loader.batch_size = 32
    runner = make_runner('run', STAGES, model=model, train_dataloader=loader)
    with pytest.raises(ValueError, match=r'fails teacher: .*not better than chance: acc'):
        look(runner)


# Healthy runs


def plain(make_runner):
    model = toy_config('', STAGES).model
    model.pop('augmenter')
    model.pop('batch_mode')
    return make_runner('run', STAGES, model=model, custom_hooks=[])


def dense_runner(kind, network, **options):
    """What the hook needs of a runner, around a distiller."""

    class Searching(Hook):
        search = None

    class Runner:
        hooks = (Searching(),)
        iter = 0

    runner = Runner()
    runner.model = dense.distiller(kind, network, **options)
    parameters = runner.model.parameters()
    runner.optim_wrapper = OptimWrapper(torch.optim.SGD(parameters, lr=0.1))
    runner.logger = MMLogger.get_instance('first_batch', log_level='ERROR')
    return runner


def test_healthy_classification(make_runner):
    seen = look(make_runner('run', STAGES))
    assert [part.split(':')[0] for part in seen.split('; ')] == list(CHECKS)


def test_healthy_plain_distillation(make_runner):
    seen = look(plain(make_runner))
    assert 'images do not move' in seen and 'there is no search' in seen
    assert 'distillation: loss_kd' in seen


@pytest.mark.parametrize('name', ['retinanet', 'mask_rcnn'])
def test_healthy_detection(name):
    runner = dense_runner('DetectionDistiller', dense.detector(name))
    data = dense.detection_data(masks=name == 'mask_rcnn')
    before = parts_of(runner)
    seen = look(runner, data)
    assert ' moved; ' in seen
    assert 'gt_instances.bboxes' in seen and 'ignored_instances.bboxes' in seen
    assert ('gt_instances.masks' in seen) == (name == 'mask_rcnn')
    assert not changed(before, parts_of(runner))


def test_healthy_segmentation():
    seen = look(dense_runner('SegmentationDistiller', dense.segmentor()), dense.segmentation_data())
    assert 'labels: gt_sem_seg.data moved' in seen and 'loss_kd_aux' in seen


def test_a_student_that_begins_as_its_teacher(make_runner):
    """Its loss is zero, but not for long."""
    runner = make_runner('run', STAGES)
    model = runner.model
    model.teacher.model.load_state_dict(model.student.state_dict())
    for layer in model.student.modules():
        layer.training = False
    data = next(iter(runner.train_dataloader))
    before = parts_of(runner)
    assert 'loss_kd' in look(runner, data)
    assert not changed(before, parts_of(runner))


def test_the_run_is_the_same(make_runner):
    """Weights, buffers, policy and optimiser, bit for bit."""
    ends = []
    for checks in (True, False):
        runner = make_runner('run', {'stages': [{'begin': 0, 'iters': 2}]}, length=1)
        runner.register_hook(FirstBatchHook(checks))
        runner.train()
        policy = runner.model.augmenter.policy
        ends.append(
            state_of(model=runner.model.state_dict(), policy=policy.state_dict())
            | state_of(optimizer=runner.optim_wrapper.state_dict())
        )
    assert not changed(*ends)


def test_every_distiller_is_checked(tmp_path, caplog):
    config = toy_config(tmp_path, {'stages': []}, length=1)
    runner = build_runner(config, training=True)
    hook = find_hook(runner, FirstBatchHook)
    assert hook.checks == list(CHECKS)
    calls = []
    hook.look = lambda runner, data: calls.append(runner.iter)
    runner.train()
    assert calls == [0]


def test_dry_run(tmp_path):
    report = dry_run(toy_config(tmp_path, STAGES))
    assert 'first batch     distillation: loss_kd' in report


# Mistakes


def test_mistakes(make_runner):
    with pytest.raises(KeyError, match=r"has 'label'; did you mean 'labels'\? allowed: range"):
        FirstBatchHook(['label'])
    with pytest.raises(TypeError, match="checks is 'labels'; allowed: True, False, or a list of"):
        FirstBatchHook('labels')
    assert FirstBatchHook(False).checks == []
    assert FirstBatchHook(['stage', 'range']).checks == ['range', 'stage']
    runner = make_runner('run', STAGES, model=deepcopy(STUDENT), custom_hooks=[])
    with pytest.raises(ValueError, match='ImageClassifier. is no distiller; remove the hook'):
        FirstBatchHook().before_run(runner)


def test_unchanged_is_what_the_checks_stand_in(make_runner, monkeypatch):
    """All checks together leave no trace, not even a failing one."""
    runner = make_runner('run', STAGES)
    losses_of(monkeypatch, lambda own, kd: (own, {name: value * 0 for name, value in kd.items()}))
    data = next(iter(runner.train_dataloader))
    before = parts_of(runner)
    with pytest.raises(ValueError, match='distillation'):
        look(runner, data)
    assert not changed(before, parts_of(runner))
    assert all(weight.grad is None for weight in runner.model.parameters())
