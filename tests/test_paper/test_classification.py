"""The published search on classification: its labels, and what it is for."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.optim import OptimWrapper
from test_models import helpers as models
from test_models.helpers import batch, classifier, normalisation, policy_optimizer
from torch import nn

from tst_mm.registry import MODELS

from .helpers import augmenter_step, distiller


def test_loss_without_a_flip_is_refused_when_it_will_be_flipped():
    seesaw = {'type': 'mmpretrain.SeesawLoss', 'num_classes': 4}
    with pytest.raises(TypeError, match="student: loss 'head.loss_module' is a SeesawLoss"):
        distiller(classifier(loss=seesaw))
    models.distiller(classifier(loss=seesaw))  # a policy that no gradient trains
    distiller(classifier(loss=seesaw), objective={'form': 'difference'})
    distiller(teacher={'model': classifier(loss=seesaw), 'checkpoint': 'random'})


# Labels -----------------------------------------------------------------------------------------


LOSSES = {
    'hard': {'type': 'mmpretrain.CrossEntropyLoss'},
    'smooth': {'type': 'mmpretrain.LabelSmoothLoss', 'label_smooth_val': 0.1, 'num_classes': 4},
    'soft': {'type': 'mmpretrain.CrossEntropyLoss', 'use_soft': True},
}


def weakness_of(student, data):
    """The student's term of the augmenter's loss on unchanged images, and the logits."""
    model = distiller(student)
    model.augmenter.policy.probability_logits.data.fill_(-50.0)  # x' = x
    inputs = model.data_preprocessor(data, True)['inputs']
    model.student.eval()
    losses = augmenter_step(model, data, policy_optimizer(model))
    return losses, model.student(inputs)


@pytest.mark.parametrize('kind', LOSSES)
def test_student_term_is_the_expected_flip_over_the_label(kind):
    data = batch()
    target = F.one_hot(torch.arange(6) % 4, 4).float()
    if kind == 'smooth':
        target = target * 0.9 + 0.1 / 4
    if kind == 'soft':
        target = torch.rand(6, 4).softmax(1)
        for sample, row in zip(data['data_samples'], target, strict=True):
            sample.set_gt_score(row)
    losses, logits = weakness_of(classifier(loss=LOSSES[kind]), data)
    terms = -(1 - logits.softmax(1) + 1e-8).log()
    torch.testing.assert_close(losses['loss_student'], (target * terms).sum(1).mean().detach())
    if kind == 'soft':
        confidence = (target * logits.softmax(1)).sum(1).mean()
    else:
        confidence = logits.softmax(1)[range(6), torch.arange(6) % 4].mean()
    torch.testing.assert_close(losses['student_confidence'], confidence.detach())


@pytest.mark.parametrize('loss', ['CrossEntropyLoss', 'FocalLoss'])
def test_several_labels(loss):
    options = {'use_sigmoid': True} if loss == 'CrossEntropyLoss' else {'gamma': 0.0, 'alpha': 0.5}
    head = {'type': 'mmpretrain.MultiLabelLinearClsHead'}
    student = classifier(loss={'type': f'mmpretrain.{loss}', **options}, head=head)
    data = batch()
    hot = torch.tensor([[1.0, 0, 1, 0], [0, 1, 1, 0], [1, 1, 0, 0]]).repeat(2, 1)
    for sample, row in zip(data['data_samples'], hot, strict=True):
        sample.set_gt_score(row)
    teacher = {'model': student, 'checkpoint': 'random'}
    model = distiller(student, teacher)
    model.augmenter.policy.probability_logits.data.fill_(-50.0)
    model.student.eval()
    losses = augmenter_step(model, data, policy_optimizer(model))
    logits = model.student(model.data_preprocessor(data, True)['inputs'])
    expected = F.binary_cross_entropy_with_logits(logits, 1 - hot, reduction='sum') / 6
    expected = expected * (1 if loss == 'CrossEntropyLoss' else 0.5)
    torch.testing.assert_close(losses['loss_student'], expected.detach())
    confidence = logits.sigmoid()[hot > 0].mean()
    torch.testing.assert_close(losses['student_confidence'], confidence.detach())


# What it is for ---------------------------------------------------------------------------------


class Pattern(nn.Module):
    """Sees the image relative to its mean, whatever its brightness."""

    def forward(self, pixels):
        pixels = pixels.flatten(1)
        return (pixels / pixels.mean(1, keepdim=True) - 1,)


class Intensity(nn.Module):
    """Sees how bright an image is, and nothing else."""

    def forward(self, pixels):
        mean = pixels.flatten(1).mean(1, keepdim=True)
        return (torch.exp(-(((mean - torch.linspace(0, 80, 41)) / 2) ** 2)),)


def toy_classifier(backbone, features):
    """A linear classifier of raw grey values' features."""
    config = classifier(preprocessor=normalisation([0.0], [1.0], to_rgb=False))
    config['backbone'], config['neck'] = backbone, None
    config['head']['in_channels'] = features
    return MODELS.build(config)


def toy_batch(count, seed):
    """8 x 8 images whose class shows in the brighter side and, for the lazy, in the mean."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 4
    side = torch.zeros(4, 8, 8)
    side[0, :4], side[1, 4:], side[2, :, :4], side[3, :, 4:] = 1, 1, 1, 1
    mean = 26 + 4 * (labels + 4 * torch.randint(0, 2, (count,), generator=generator))
    noise = torch.randn(count, 8, 8, generator=generator)
    pixels = mean.view(-1, 1, 1) * (0.8 + 0.4 * side[labels] + 0.05 * noise)
    data = batch(count, size=8)
    data['inputs'] = list(pixels.round().to(torch.uint8)[:, None])
    return data


def train(model, steps=150):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    data = model.data_preprocessor(toy_batch(256, seed=0), True)
    for _ in range(steps):
        optimizer.zero_grad()
        model(**data, mode='loss')['loss'].backward()
        optimizer.step()
    return (model(data['inputs']).argmax(1) == torch.arange(256) % 4).float().mean().item()


def gap(model):
    """Teacher's minus student's confidence on x', as the student stage will see it."""
    data = model.data_preprocessor(toy_batch(256, seed=1), False)
    model.augmenter.reseed(0)
    with torch.no_grad():
        images, _ = model.augmenter(data['inputs'])
        confidences = [
            network(images).softmax(1)[range(256), torch.arange(256) % 4].mean().item()
            for network in (model.teacher.model, model.student)
        ]
    return confidences[0] - confidences[1]


def test_augmenter_learns_what_the_teacher_can_and_the_student_cannot():
    """The teacher is invariant to brightness, the student is not; inversion misleads both."""
    teacher, student = toy_classifier(Pattern(), 64), toy_classifier(Intensity(), 41)
    assert train(teacher) > 0.99
    assert train(student) > 0.95
    model = distiller(
        student,
        {'model': teacher, 'checkpoint': 'random'},
        augmenter={'operators': ['Brightness', 'Invert'], 'num_ops': 1},
    )
    before, start = gap(model), model.augmenter.policy.summary()
    # One steep gradient of a half-open gate must not decide, as in the recommended searches.
    sgd = torch.optim.SGD(model.augmenter.policy.parameters(), lr=0.05, momentum=0.9)
    optimizer = OptimWrapper(sgd, clip_grad=dict(max_norm=0.3))
    gaps = []
    for step in range(300):
        model.augmenter.reseed(0, step)
        losses = augmenter_step(model, toy_batch(32, seed=step), optimizer)
        gaps.append((losses['teacher_confidence'] - losses['student_confidence']).item())
    policy = model.augmenter.policy.summary()
    assert policy['Brightness']['rate'] > start['Brightness']['rate'] + 0.1
    assert policy['Invert']['rate'] < start['Invert']['rate'] - 0.1
    assert sum(gaps[-30:]) / 30 > sum(gaps[:30]) / 30 + 0.05
    assert gap(model) > before + 0.1
