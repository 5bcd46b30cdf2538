"""Scores of images: what they are, and that nothing is left of the looking."""

import pytest
import torch
from torch import nn

from test_models import dense, helpers
from test_models.helpers import assert_same, batch, classifier, distiller, snapshot
from tst_mm.augment import Draw
from tst_mm.models.distillers.image_losses import at_once, one_by_one
from tst_mm.registry import MODELS
from tst_mm.search import bounded_weakness


def detection(**options):
    student = dense.detector('retinanet')
    return dense.distiller('DetectionDistiller', student, **options), dense.detection_data()


def segmentation(**options):
    model = dense.distiller('SegmentationDistiller', dense.segmentor(), **options)
    return model, dense.segmentation_data()


def classification(**options):
    return distiller(**options), batch(2)


TASKS = {'classification': classification, 'detection': detection, 'segmentation': segmentation}


def switch_off(model):
    """No operator acts on any image."""
    with torch.no_grad():
        model.augmenter.policy.probability_logits.fill_(-50.0)


def evaluate_layers(model):
    """Stored statistics and no dropout; heads compute losses as in training."""
    for module in model.modules():
        if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)):
            module.eval()


@pytest.mark.parametrize('objective', ['TeachingObjective', 'DisagreementObjective'])
@pytest.mark.parametrize('task', TASKS)
def test_what_comes_back(task, objective):
    """Values of each of n = draws x B images, the first draw of all images first."""
    model, data = TASKS[task](objective={'type': f'tst_mm.{objective}', 'teacher_weight': 2.0})
    score = model.score(data, draws=2)
    assert isinstance(score['draw'], Draw) and len(score['draw']) == 4
    for name in ('objective', 'loss_teacher', 'loss_student'):
        assert score[name].shape == (4,) and score[name].isfinite().all(), name
        assert not score[name].requires_grad
    assert all(values.shape == (4,) and 'loss' in name for name, values in score['terms'].items())
    judged = 2 * score['loss_teacher'] + score['loss_student']
    torch.testing.assert_close(score['objective'], judged)
    if objective == 'TeachingObjective':
        weakness = sum(bounded_weakness(values) for values in score['terms'].values())
        torch.testing.assert_close(score['loss_student'], weakness)
    else:
        assert (score['loss_student'] < 0).all()


@pytest.mark.parametrize(
    ('loss', 'scales'),
    [
        ({'type': 'CrossEntropyLoss', 'loss_weight': 2.0}, {'loss': 2.0}),
        ({'type': 'LabelSmoothLoss', 'label_smooth_val': 0.1, 'mode': 'original'}, {'loss': 1.0}),
        ({'type': 'CrossEntropyLoss', 'use_sigmoid': True}, {}),
        ({'type': 'FocalLoss'}, {}),
    ],
)
def test_a_cross_entropy_has_its_own_scale(loss, scales):
    """Its weight; other losses, and those of dense tasks, have running means."""
    loss = {**loss, 'type': f'mmpretrain.{loss["type"]}'}
    assert distiller(student=classifier(loss=loss)).loss_scales() == scales
    assert segmentation()[0].loss_scales() == {}


def test_the_weakness_is_that_of_the_weighted_cross_entropy():
    """Of a loss of twice the weight twice as much, whatever the running means are."""
    found = []
    for weight in (1.0, 2.0):
        torch.manual_seed(0)
        loss = {'type': 'mmpretrain.CrossEntropyLoss', 'loss_weight': weight}
        model = distiller(student=classifier(loss=loss))
        switch_off(model)
        model.objective.update({'loss': torch.tensor(0.01)})
        found.append(model.score(batch(2), draws=1)['loss_student'])
    torch.testing.assert_close(2 * found[0], found[1])


@pytest.mark.parametrize('task', TASKS)
def test_values_are_those_of_the_models(task):
    """Where nothing acts: each image's own losses, of student and teacher, in evaluation."""
    model, data = TASKS[task]()
    switch_off(model)
    score = model.score(data, draws=1)
    processed = model.data_preprocessor(data, True)
    evaluate_layers(model.student)
    for i, sample in enumerate(processed['data_samples']):
        image = processed['inputs'][i : i + 1]
        with torch.no_grad():
            own, _ = model.parse_losses(model.student(image, [sample], mode='loss'))
            of_teacher, _ = model.parse_losses(model.teacher.losses(image, [sample]))
        assert float(sum(v[i] for v in score['terms'].values())) == pytest.approx(float(own), 1e-4)
        assert float(score['loss_teacher'][i]) == pytest.approx(float(of_teacher), 1e-4)


def test_confidences_are_probabilities_of_the_labels():
    model, data = classification()
    switch_off(model)
    score = model.score(data, draws=2)
    processed = model.data_preprocessor(data, True)
    labels = torch.cat([sample.gt_label for sample in processed['data_samples']])
    networks = {'student': model.student, 'teacher': model.teacher.model}
    for name, network in networks.items():
        network.eval()
        with torch.no_grad():
            logits = network.head.fc(network.extract_feat(processed['inputs'])[-1])
        expected = logits.softmax(1).gather(1, labels[:, None]).mean()
        torch.testing.assert_close(score[f'{name}_confidence'], expected)


def test_without_a_plain_class_loss_there_is_no_confidence(monkeypatch):
    model, data = classification()
    monkeypatch.setattr(type(model), 'confidence_loss', lambda self, network: None)
    assert not [name for name in model.score(data) if 'confidence' in name]


@pytest.mark.parametrize('task', TASKS)
def test_it_falls_as_the_student_gets_worse(task):
    """Along the gradient of the student's own loss on the same images."""
    model, data = TASKS[task]()
    switch_off(model)
    evaluate_layers(model.student)
    weights = [p for p in model.student.parameters() if p.requires_grad]
    losses = model.student(**model.data_preprocessor(data, True), mode='loss')
    loss, _ = model.student.parse_losses(losses)
    uphill = torch.autograd.grad(loss, weights, allow_unused=True)
    length = sum(float(g.square().sum()) for g in uphill if g is not None)
    found = []
    for share in (-0.01, 0.02):
        with torch.no_grad():
            for weight, gradient in zip(weights, uphill, strict=True):
                if gradient is not None:
                    weight.add_(gradient, alpha=share * float(loss) / length)
        found.append(model.score(data)['loss_student'].mean())
    assert found[1] < found[0]


def stateful(task):
    """Student and teacher with all that draws noise or updates itself; their batch."""
    if task == 'classification':
        return helpers.noisy_distiller(), batch()
    if task == 'detection':
        student = dense.detector('faster_rcnn')
        student.roi_head.type = 'DynamicRoIHead'
        student.train_cfg.rcnn.dynamic_rcnn = dict(
            iou_topk=2, beta_topk=2, update_iter_interval=2, initial_iou=0.4, initial_beta=1.0
        )
        student.roi_head.bbox_head.loss_bbox = dict(type='SmoothL1Loss', beta=1.0)
        return dense.distiller('DetectionDistiller', student), dense.detection_data()
    return segmentation()


@pytest.mark.parametrize('look', ['score', 'imitation_loss'])
@pytest.mark.parametrize('task', TASKS)
def test_it_leaves_no_trace(task, look):
    model, data = stateful(task)
    losses, _ = model.parse_losses(model(**model.data_preprocessor(data, True), mode='loss'))
    losses.backward()  # gradients are there
    parts = [model.student, model.teacher.model, model.distiller]
    before = [snapshot(part) for part in parts]
    numbers = torch.get_rng_state()
    plain = [attributes(part) for part in parts]
    for _ in range(3):
        getattr(model, look)(data)
    for part, state, values in zip(parts, before, plain, strict=True):
        assert_same(part, state)
        assert attributes(part) == values
    assert torch.equal(torch.get_rng_state(), numbers)


def attributes(model):
    """Plain attributes of modules, and of the assigners that a detector's heads hold."""
    found = {}
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, (int, float, str, list)) or value is None:
                found[f'{name}.{key}'] = repr(value)
            if 'assigner' in key:
                found[f'{name}.{key}'] = (
                    repr(vars(value))[:500] if hasattr(value, '__dict__') else ''
                )
    return found


@pytest.mark.parametrize(
    'loss',
    [
        {'type': 'mmpretrain.CrossEntropyLoss'},
        {'type': 'mmpretrain.LabelSmoothLoss', 'label_smooth_val': 0.1, 'num_classes': 4},
    ],
)
def test_one_pass_gives_the_losses_of_single_images(loss):
    model = distiller(classifier(loss=loss)).eval()
    data = model.data_preprocessor(batch(), True)

    def losses_of(images, samples):
        return model.student(images, samples, mode='loss')

    with torch.no_grad():
        whole = at_once(losses_of, data['inputs'], data['data_samples'], model.student)
        single = one_by_one(losses_of, data['inputs'], data['data_samples'])
    assert whole.keys() == single.keys()
    for name, values in single.items():
        torch.testing.assert_close(whole[name], values, rtol=1e-4, atol=1e-5)
    reductions = [getattr(m, 'reduction', 'mean') for m in model.student.modules()]
    assert 'none' not in reductions


class Batchwise(nn.Module):
    """A loss that gives one value for a batch, whatever it is asked."""

    def forward(self, cls_score, label, avg_factor=None, **_):
        return nn.functional.cross_entropy(cls_score, label)


def test_a_loss_that_reduces_is_asked_image_by_image():
    MODELS.register_module(name='Batchwise', module=Batchwise, force=True)
    torch.manual_seed(0)
    model = distiller(classifier(loss={'type': 'tst_mm.Batchwise'}))
    score = model.score(batch(), draws=2)
    assert score['loss_student'].shape == (12,)
    assert len(set(score['loss_student'].tolist())) > 6
    assert model._whole[model.student] is False and model._whole[model.teacher.model] is True


def test_finding_out_leaves_the_first_score_as_later_ones():
    """Whether a model gives single losses is tried on images, which changes no value."""
    model = helpers.noisy_distiller()
    scores = []
    for _ in range(2):
        model.augmenter.reseed(5)
        scores.append(model.score(batch(), draws=2)['objective'])
    assert torch.equal(*scores)


def test_half_precision_does_not_slow_it_down():
    model = distiller()
    with torch.autocast('cpu', torch.bfloat16):
        model.score(batch(), draws=2)
    assert all(model._whole.values()) and len(model._whole) == 2


def test_imitation_loss_is_that_of_clean_images():
    model = distiller()
    found = model.imitation_loss(batch())
    model.eval()
    with torch.no_grad():
        _, distilled = model.distilled(**model.data_preprocessor(batch(), True))
    assert found.dim() == 0 and not found.requires_grad
    assert float(found) == pytest.approx(float(sum(v.mean() for v in distilled.values())), 1e-5)
    # A student that says what the teacher says has nothing left to learn.
    twin = distiller(classifier(), {'model': classifier(), 'checkpoint': 'random'})
    twin.teacher.model.load_state_dict(twin.student.state_dict())
    assert float(twin.imitation_loss(batch())) == pytest.approx(0, abs=1e-5)
