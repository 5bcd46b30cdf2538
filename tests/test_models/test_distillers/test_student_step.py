"""The student step: its batch, and that policy and teacher stand still."""

from __future__ import annotations

import pytest
import torch

from ..helpers import (
    OTHER_NORMALISATION,
    assert_same,
    batch,
    classifier,
    distiller,
    noisy_distiller,
    normalisation,
    policy_of,
    snapshot,
    student_optimizer,
)


def test_student_stage_leaves_policy_and_teacher_as_they_are():
    model = noisy_distiller()
    optimizer = student_optimizer(model)
    policy, teacher = policy_of(model), snapshot(model.teacher.model)
    frozen_stage = snapshot(model.student.backbone.layer1)
    trained = model.student.head.fc.fc.weight.detach().clone()
    statistics = model.student.backbone.layer2[0].bn1.running_mean.clone()
    for step in range(4):
        model.train_step(batch(seed=step), optimizer)
    assert torch.equal(policy_of(model), policy)
    assert_same(model.teacher.model, teacher)
    assert_same(model.student.backbone.layer1, frozen_stage)
    assert not torch.equal(model.student.head.fc.fc.weight, trained)
    assert not torch.equal(model.student.backbone.layer2[0].bn1.running_mean, statistics)


def watched_step(model, count):
    """The clean batch and what student and teacher saw of it in a student step."""
    seen = {}
    hooks = [
        network.register_forward_pre_hook(
            lambda module, args, who=who: seen.setdefault(who, args), with_kwargs=False
        )
        for who, network in (('student', model.student), ('teacher', model.teacher.model))
    ]
    data = model.data_preprocessor(batch(count), True)
    losses = model(**data, mode='loss')
    for hook in hooks:
        hook.remove()
    return data, seen['student'], seen['teacher'], losses


INVERT = {'operators': ['Invert'], 'num_ops': 1}


@pytest.mark.parametrize('mode', ['double', 'split'])
@pytest.mark.parametrize('count', [1, 2, 5, 6])
def test_composition_of_the_batch(mode, count):
    model = distiller(augmenter=INVERT, batch_mode=mode)
    model.augmenter.policy.probability_logits.data.fill_(50.0)  # always
    model.student.eval()  # batch norm cannot train on a single image of a single pixel
    data, (images, samples), (teacher_images, *_), _ = watched_step(model, count)
    augmented = count if mode == 'double' else (count + 1) // 2
    start = 0 if mode == 'double' else augmented
    mean = model.data_preprocessor.mean
    std = model.data_preprocessor.std
    pixels = data['inputs'][:augmented] * std + mean
    torch.testing.assert_close(images[:augmented] * std + mean, 255 - pixels, rtol=0, atol=1e-3)
    assert torch.equal(images[augmented:], data['inputs'][start:])
    assert torch.equal(teacher_images, images)  # the same pixels go to both
    labels = [int(sample.gt_label) for sample in data['data_samples']]
    given = [int(sample.gt_label) for sample in samples]
    assert given == labels[:augmented] + labels[start:]
    assert len(given) == len(images) == (2 * count if mode == 'double' else count)


@pytest.mark.parametrize('mode', ['double', 'split'])
def test_unchanged_images_are_plain_distillation(mode):
    torch.manual_seed(1)
    plain = distiller(augmenter=None)
    model = distiller(batch_mode=mode)
    model.student.load_state_dict(plain.student.state_dict())
    model.teacher.model.load_state_dict(plain.teacher.model.state_dict())
    model.augmenter.policy.probability_logits.data.fill_(-50.0)  # never
    _, _, _, expected = watched_step(plain, 6)
    data, (images, _), _, losses = watched_step(model, 6)
    assert torch.equal(images[:3], data['inputs'][:3])
    assert losses.keys() == expected.keys()
    for name in losses:
        if mode == 'split':
            assert torch.equal(losses[name], expected[name])
        else:  # twice the same images: the same means, summed in another order
            torch.testing.assert_close(losses[name], expected[name], rtol=1e-5, atol=1e-6)


def test_augmented_images_come_from_the_augmenters_own_numbers():
    model = distiller()
    model.augmenter.reseed(1, 2)
    state = torch.get_rng_state()
    _, (first, _), _, _ = watched_step(model, 4)
    assert torch.equal(torch.get_rng_state(), state)
    _, (second, _), _, _ = watched_step(model, 4)
    model.augmenter.reseed(1, 2)
    _, (again, _), _, _ = watched_step(model, 4)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert torch.equal(first[4:], second[4:])


def test_teacher_sees_its_own_normalisation():
    teacher = {
        'model': classifier(width=12, preprocessor=OTHER_NORMALISATION),
        'checkpoint': 'random',
    }
    model = distiller(teacher=teacher)
    _, (images, _), (teacher_images, *_), _ = watched_step(model, 4)
    mean, std = model.data_preprocessor.mean, model.data_preprocessor.std
    expected = ((images * std + mean).flip(1) - 127.5) / 127.5
    torch.testing.assert_close(teacher_images, expected)


@pytest.mark.parametrize('step', ['train_step', 'score'])
@pytest.mark.parametrize('kind', ['normalised already', 'of 0 to 1'])
def test_images_of_another_range_are_refused(step, kind):
    """By both steps: the augmenter would take them for other colours."""
    plain = {'type': 'mmpretrain.ClsDataPreprocessor'}
    model = distiller(classifier(preprocessor=plain), augmenter=INVERT)
    data = batch()
    data['inputs'] = [image / 255 for image in data['inputs']]
    if kind == 'normalised already':
        data['inputs'] = [(image - 0.45) / 0.23 for image in data['inputs']]
    with pytest.raises(ValueError, match=f'images .*{kind}.*allowed: mean and std given'):
        model.score(data) if step == 'score' else model.train_step(data, student_optimizer(model))


def test_images_of_0_to_1_are_inverted_in_their_unit():
    preprocessor = normalisation([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    model = distiller(classifier(preprocessor=preprocessor), augmenter=INVERT)
    model.augmenter.policy.probability_logits.data.fill_(50.0)  # always
    data = batch(4)
    data['inputs'] = [image / 255 for image in data['inputs']]
    data = model.data_preprocessor(data, True)
    seen = {}
    model.student.register_forward_pre_hook(lambda module, args: seen.update(images=args[0]))
    model(**data, mode='loss')
    mean, std = model.data_preprocessor.mean, model.data_preprocessor.std
    count = len(model.draw)
    unit, inverted = (x[:count] * std + mean for x in (data['inputs'], seen['images']))
    torch.testing.assert_close(inverted, 1 - unit, rtol=0, atol=1e-4)
