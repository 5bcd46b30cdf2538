"""The augmenter step: exact gradients for the policy, and nothing else has changed."""

from __future__ import annotations

import weakref

import pytest
import torch
from test_models.helpers import (
    OTHER_NORMALISATION,
    assert_same,
    batch,
    classifier,
    noisy_classifier,
    policy_of,
    policy_optimizer,
    snapshot,
    vision_transformer,
)

from tst_mm.models.modes import frozen

from .helpers import augmenter_step, distiller, noisy_distiller


@pytest.mark.parametrize(
    'make',
    [
        noisy_classifier,
        lambda: vision_transformer(drop=0.5),
        lambda: classifier(with_cp=True),  # blocks that are computed once more in the backward
    ],
)
def test_augmenter_stage_leaves_student_and_teacher_as_they_are(make):
    model = noisy_distiller(make)
    optimizer = policy_optimizer(model, momentum=0.9)
    student, teacher = snapshot(model.student), snapshot(model.teacher.model)
    policy, state = policy_of(model), torch.get_rng_state()
    for step in range(3):
        losses = augmenter_step(model, batch(seed=step), optimizer)
        assert all(value.isfinite() for value in losses.values())
    assert_same(model.student, student)
    assert_same(model.teacher.model, teacher)
    assert torch.equal(torch.get_rng_state(), state)  # no dropout was drawn
    assert not torch.equal(policy_of(model), policy)
    assert all(p.grad is None for p in model.augmenter.policy.parameters())


def test_augmenter_stage_in_the_middle_of_training_changes_no_gradient():
    """Gradients that a student accumulates over several batches are still there."""
    model = distiller()
    model(**model.data_preprocessor(batch(), True), mode='loss')['loss'].backward()
    before = {name: p.grad.clone() for name, p in model.student.named_parameters()}
    augmenter_step(model, batch(), policy_optimizer(model))
    for name, p in model.student.named_parameters():
        assert torch.equal(p.grad, before[name]), name


def test_student_and_teacher_get_samples_of_their_own():
    model, given = distiller(), []
    for network in (model.student, model.teacher.model):
        network.register_forward_pre_hook(
            lambda module, args, kwargs: given.append((args[1:] or (kwargs['data_samples'],))[0]),
            with_kwargs=True,
        )
    augmenter_step(model, batch(), policy_optimizer(model))
    of_student, of_teacher = given
    assert not {id(sample) for sample in of_student} & {id(sample) for sample in of_teacher}


def test_failing_augmenter_step_leaves_student_and_teacher_as_they_are():
    model = noisy_distiller()
    student, teacher = snapshot(model.student), snapshot(model.teacher.model)
    data = batch()
    del data['data_samples'][0].gt_label
    with pytest.raises(AttributeError):
        augmenter_step(model, data, policy_optimizer(model))
    assert_same(model.student, student)
    assert_same(model.teacher.model, teacher)
    loss = model.student.head.loss_module
    assert 'forward' not in vars(loss)
    assert not loss._forward_pre_hooks


def gradient_in_one_graph(model, data):
    """The policy's gradient as it is defined: both losses, one backward through everything."""
    data = model.data_preprocessor(data, True)
    inputs, samples = data['inputs'], data['data_samples']
    images, _ = model.augmenter(inputs, relaxed=True)
    objective = model.objective
    with frozen(model.student):
        weakness = objective.flipped_weakness(
            lambda: model.student(images, samples, mode='loss')['loss']
        )
    teacher_inputs = model.teacher.inputs(images, model.augmenter.normalization)
    strength = model.teacher.losses(teacher_inputs, samples)['loss']
    loss = objective.teacher_weight * strength + objective.student_weight * weakness
    loss.backward()
    gradients = [p.grad.clone() for p in model.augmenter.policy.parameters()]
    model.augmenter.policy.zero_grad()
    return loss.detach(), torch.cat(gradients)


@pytest.mark.parametrize('double', [True, False])
@pytest.mark.parametrize(
    'objective', [{}, {'teacher_weight': 0.3, 'student_weight': 2.0}, {'form': 'difference'}]
)
def test_gradient_is_that_of_one_graph(double, objective):
    teacher = {
        'model': classifier(width=12, preprocessor=OTHER_NORMALISATION),
        'checkpoint': 'random',
    }
    model = distiller(noisy_classifier(), teacher, objective=objective)
    if double:
        model.double()
        model.augmenter.double()
    model.augmenter.reseed(5)
    loss, gradient = gradient_in_one_graph(model, batch())
    before = policy_of(model)
    model.augmenter.reseed(5)
    losses = augmenter_step(model, batch(), policy_optimizer(model, lr=1.0))
    tolerance = {'rtol': 1e-7, 'atol': 1e-12} if double else {'rtol': 1e-3, 'atol': 1e-6}
    torch.testing.assert_close(losses['loss'], loss, **tolerance)
    torch.testing.assert_close(before - policy_of(model), gradient, **tolerance)
    assert (gradient != 0).sum() > 10


def test_two_graphs_are_never_alive_together():
    """What the student's backward needs is gone when the teacher's forward begins."""
    model = distiller()
    owner, alive = ['augmenter'], {'augmenter': 0, 'student': 0, 'teacher': 0}
    seen = {}

    class Saved:
        def __init__(self, tensor):
            self.tensor = tensor
            alive[owner[0]] += 1
            weakref.finalize(self, lambda name: alive.update({name: alive[name] - 1}), owner[0])

    def enter(name):
        def hook(module, args):
            seen[f'{name} begins'] = dict(alive)
            owner[0] = name

        return hook

    def leave(name):
        def hook(module, args, output):
            seen[f'{name} ends'] = dict(alive)

        return hook

    hooks = []
    for name, network in (('student', model.student), ('teacher', model.teacher.model)):
        hooks.append(network.register_forward_pre_hook(enter(name)))
        hooks.append(network.register_forward_hook(leave(name)))
    with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
        augmenter_step(model, batch(), policy_optimizer(model))
    for hook in hooks:
        hook.remove()
    assert seen['student begins']['augmenter'] > 0
    assert seen['student ends']['student'] > 20
    assert seen['teacher begins']['student'] == 0
    assert seen['teacher ends']['teacher'] > 20
    assert not any(alive.values())


def test_losses_and_confidences_are_those_on_the_augmented_images():
    model = distiller(objective={'teacher_weight': 0.5, 'student_weight': 2.0})
    model.augmenter.reseed(3)
    losses = augmenter_step(model, batch(), policy_optimizer(model, lr=0.0))
    assert all(v.shape == () and not v.requires_grad for v in losses.values())
    model.augmenter.reseed(3)
    data = model.data_preprocessor(batch(), True)
    with torch.no_grad(), frozen(model.student):
        images, _ = model.augmenter(data['inputs'], relaxed=True)
        p_s = model.student(images).softmax(1)[range(6), [0, 1, 2, 3, 0, 1]]
        p_t = model.teacher.model(images).softmax(1)[range(6), [0, 1, 2, 3, 0, 1]]
    expected = {
        'loss_teacher': -p_t.log().mean(),
        'loss_student': -(1 - p_s + 1e-8).log().mean(),
        'teacher_confidence': p_t.mean(),
        'student_confidence': p_s.mean(),
    }
    expected['loss'] = 0.5 * expected['loss_teacher'] + 2 * expected['loss_student']
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, rtol=1e-4, atol=1e-5)


def test_every_rank_gives_the_same_shapes(monkeypatch):
    """Where no drawn operator has a magnitude, the others must not wait for that gradient."""
    shapes = []

    def means(tensors):
        shapes.append([tuple(tensor.shape) for tensor in tensors])
        return tensors

    monkeypatch.setattr('tst_mm.paper.gradient_step.mean_over_ranks', means)
    model = distiller(
        augmenter={'operators': ['Invert', 'Rotate'], 'num_ops': 1, 'sharing': 'batch'}
    )
    drawn = set()
    for seed in range(8):
        model.augmenter.reseed(seed)
        drawn.add(model.augmenter.draw([(32, 32)], relaxed=True).moved_images == (0,))
        model.augmenter.reseed(seed)
        augmenter_step(model, batch(2), policy_optimizer(model))
    assert drawn == {True, False}
    assert shapes == [[(2,), (1,), (), (), (2,), (2,)]] * 8


def test_mixed_precision_on_the_processor():
    exact = distiller()
    model = distiller()
    model.load_state_dict(exact.state_dict())
    model.teacher.model.load_state_dict(exact.teacher.model.state_dict())
    for distil in (exact, model):
        distil.augmenter.reseed(0)
    student, before = snapshot(model.student), policy_of(model)
    expected = augmenter_step(exact, batch(), policy_optimizer(exact))
    with torch.autocast('cpu', torch.bfloat16):
        losses = augmenter_step(model, batch(), policy_optimizer(model))
    for name, value in losses.items():
        assert value.item() == pytest.approx(expected[name].item(), rel=0.03, abs=0.01)
    assert_same(model.student, student)
    step, wanted = policy_of(model) - before, policy_of(exact) - before
    assert step.isfinite().all()
    assert torch.cosine_similarity(step, wanted, dim=0) > 0.95


def test_an_unknown_key_of_the_objective_is_named():
    with pytest.raises(KeyError, match="'student_wieght'; did you mean 'student_weight'"):
        distiller(objective={'student_wieght': 1})
