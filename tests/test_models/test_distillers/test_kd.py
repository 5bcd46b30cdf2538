"""Distillation losses, as MMRazor's ConfigurableDistiller describes them."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from tst_mm.models.distillers.kd import compare, merge

from ..helpers import batch, classifier, distiller

FEATURES = compare(
    'features',
    'backbone.layer2',
    'backbone.layer2',
    {'type': 'L2Loss', 'loss_weight': 0.1},
    connector={'type': 'ConvModuleConnector', 'in_channel': 16, 'out_channel': 24},
    keys=('s_feature', 't_feature'),
)


def logits_kd(**loss):
    return compare('kd', 'head.fc', 'head.fc', {'type': 'KLDivergence', **loss})


def loss_of(model, count=6):
    """Losses of a student step on a fixed batch, with the tensors that were compared."""
    logits = {}
    hooks = [
        network.head.fc.register_forward_hook(
            lambda layer, args, out, who=who: logits.__setitem__(who, out.detach())
        )
        for who, network in (('student', model.student), ('teacher', model.teacher.model))
    ]
    losses = model(**model.data_preprocessor(batch(count), True), mode='loss')
    for hook in hooks:
        hook.remove()
    return losses, logits['student'], logits['teacher']


def sharpened(model):
    """With the small logits of a new network the temperature would hardly matter."""
    for network in (model.student, model.teacher.model):
        network.head.fc.weight.data.mul_(100)
    return model


def divergence(student, teacher, tau):
    """tau^2 KL(teacher || student), mean over images."""
    log_p, log_q = (teacher / tau).log_softmax(1), (student / tau).log_softmax(1)
    return tau**2 * (log_p.exp() * (log_p - log_q)).sum(1).mean()


def test_default_is_temperature_four_and_weight_one():
    model = sharpened(distiller(augmenter=None))
    losses, student, teacher = loss_of(model)
    assert set(losses) == {'loss', 'loss_kd'}
    torch.testing.assert_close(losses['loss_kd'], divergence(student, teacher, 4))
    expected = F.cross_entropy(student, torch.arange(6) % 4)
    torch.testing.assert_close(losses['loss'].detach(), expected)


@pytest.mark.parametrize('tau', [1, 2, 8])
def test_soft_term_scales_with_the_square_of_the_temperature(tau):
    model = sharpened(distiller(augmenter=None, distiller=logits_kd(tau=tau, loss_weight=0.5)))
    losses, student, teacher = loss_of(model)
    expected = 0.5 * divergence(student, teacher, tau)
    torch.testing.assert_close(losses['loss_kd'].detach(), expected)
    flat = F.kl_div(
        (student / tau).log_softmax(1), (teacher / tau).softmax(1), reduction='batchmean'
    )
    assert losses['loss_kd'].item() == pytest.approx(0.5 * tau**2 * flat.item(), rel=1e-5)


def test_identical_networks_have_nothing_to_distil():
    model = distiller(teacher={'model': classifier(), 'checkpoint': 'random'}).eval()
    model.student.load_state_dict(model.teacher.model.state_dict())
    losses, student, teacher = loss_of(model)
    assert torch.equal(student, teacher)
    assert losses['loss_kd'].item() == pytest.approx(0, abs=1e-6)
    losses['loss_kd'].backward()
    assert all(p.grad.abs().max() < 1e-6 for p in model.student.parameters())


def test_gradient_reaches_the_student_only():
    model = distiller()
    losses, _, _ = loss_of(model)
    losses['loss_kd'].backward()
    assert any(p.grad.abs().sum() > 0 for p in model.student.parameters())
    assert all(p.grad is None for p in model.teacher.model.parameters())
    assert all(p.grad is None for p in model.augmenter.parameters())


def test_connectors_are_trained_and_saved_with_the_student():
    model = distiller(distiller=merge(logits_kd(tau=4), FEATURES))
    own = {k for k in model.state_dict() if not k.startswith('student.')}
    assert own
    assert all(key.startswith('distiller.connectors.features.') for key in own)
    (connector,) = (p for k, p in model.named_parameters() if k in own and p.dim() == 4)
    losses, _, _ = loss_of(model)
    assert set(losses) == {'loss', 'loss_kd', 'loss_features'}
    losses['loss_features'].backward()
    assert connector.grad.abs().sum() > 0


def test_nothing_recorded_is_kept():
    model = distiller()
    kept = []
    handle = model.student.head.fc.register_forward_hook(
        lambda layer, args, out: kept.append(weakref.ref(out))
    )
    losses, _, _ = loss_of(model)
    handle.remove()
    del losses
    gc.collect()
    assert [reference() for reference in kept] == [None]


def test_recorders_are_off_outside_of_the_student_step():
    model = distiller()
    model.student(torch.randn(2, 3, 32, 32))
    model.teacher.model(torch.randn(2, 3, 32, 32))
    for manager in (model.distiller.student_recorders, model.distiller.teacher_recorders):
        assert [recorder.data_buffer for recorder in manager.recorders.values()] == [[]]


@pytest.mark.parametrize(
    ('student', 'teacher', 'message'),
    [
        ('heads.fc', 'head.fc', "student_recorders.kd records 'heads.fc'.*did you mean 'head.fc'"),
        ('head.fc', 'head.fcc', "teacher_recorders.kd records 'head.fcc'.*did you mean 'head.fc'"),
        ('head.fc', 'backbone.layer9', "'backbone.layer9'.*did you mean 'backbone.layer"),
    ],
)
def test_unknown_source_names_the_close_match(student, teacher, message):
    kd = compare('kd', student, teacher, {'type': 'KLDivergence'})
    with pytest.raises(KeyError, match=message) as info:
        distiller(distiller=kd)
    assert '\n' not in str(info.value)
    assert len(str(info.value)) < 400


def test_unknown_key_is_an_error():
    message = "distiller has no key 'student_recorder'; did you mean 'student_recorders'"
    with pytest.raises(KeyError, match=message):
        distiller(distiller={**logits_kd(), 'student_recorder': {}})


def test_a_loss_that_would_not_be_added_is_refused():
    """MMEngine sums what has "loss" in its name."""
    kd = logits_kd()
    for key in ('distill_losses', 'loss_forward_mappings'):
        kd[key] = {'kl': kd[key].pop('loss_kd')}
    with pytest.raises(KeyError) as info:
        distiller(distiller=kd)
    for words in ("distill_losses has 'kl'", 'would not add to the total', "'loss_kl'"):
        assert words in info.value.args[0]


def test_a_recorder_inside_of_a_recomputed_block_is_refused():
    """What is computed there has no gradient; the output of the block has one."""

    def kd(source):
        loss = {'type': 'L2Loss'}
        return compare('l2', source, source, loss, keys=('s_feature', 't_feature'))

    pair = classifier(with_cp=True), {'model': classifier(with_cp=True), 'checkpoint': 'random'}
    message = r"records 'backbone.layer2.0.conv1' inside of .*with_cp=True: .*allowed: the output"
    with pytest.raises(ValueError, match=message):
        distiller(*pair, distiller=kd('backbone.layer2.0.conv1'))
    for source in ('backbone.layer2.0', 'backbone.layer2'):
        model = distiller(*pair, distiller=kd(source))
        loss_of(model)[0]['loss_l2'].backward()
        assert model.student.backbone.layer2[0].conv1.weight.grad.abs().sum() > 0


def test_deliveries_have_no_effect_and_are_refused():
    delivery = {'draw': {'type': 'FunctionOutputs', 'max_keep_data': 2, 'func_path': 'a.b'}}
    with pytest.raises(KeyError, match="distiller has no key 'distill_deliveries'"):
        distiller(distiller={**logits_kd(), 'distill_deliveries': delivery})


def test_merge_keeps_every_part():
    merged = merge(logits_kd(), FEATURES)
    assert list(merged['student_recorders']) == ['kd', 'features']
    assert list(merged['connectors']) == ['features']
    assert list(merged['loss_forward_mappings']) == ['loss_kd', 'loss_features']
    assert list(logits_kd()['student_recorders']) == ['kd']


def test_compare_shares_a_recorder():
    both = merge(
        compare('a', 'x', 'y', {'type': 'L2Loss'}, recorder='r', data_idx=0),
        compare('b', 'x', 'y', {'type': 'L2Loss'}, recorder='r', data_idx=1),
    )
    assert list(both['teacher_recorders']) == ['r']
    first, second = both['loss_forward_mappings'].values()
    assert first['preds_S'] == {'recorder': 'r', 'data_idx': 0, 'from_student': True}
    assert second['preds_T'] == {'recorder': 'r', 'data_idx': 1, 'from_student': False}


def test_a_distillation_loss_must_not_hide_a_loss_of_the_student():
    kd = distiller().default_kd()
    for key in ('distill_losses', 'loss_forward_mappings'):
        kd[key] = {'loss': kd[key].pop('loss_kd')}
    model = distiller(distiller=kd)
    data = model.data_preprocessor(batch(), True)
    with pytest.raises(KeyError, match="names of the student's own losses"):
        model(**data, mode='loss')


def test_an_objective_without_an_augmenter_is_refused():
    with pytest.raises(KeyError, match='objective has no effect'):
        distiller(augmenter=None, objective={'cap': 2})
