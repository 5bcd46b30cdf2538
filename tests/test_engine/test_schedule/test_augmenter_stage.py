"""The optimiser of a stage holds still what ``paramwise_cfg`` says, plateau rule included."""

import pytest
import torch
from test_models.helpers import batch
from test_paper.helpers import distiller

from tst_mm.engine.schedule.augmenter_stage import AugmenterStage


def run_stage(frozen, steps=4):
    model = distiller(augmenter={'num_ops': 14})
    config = {
        'optimizer': {'type': 'SGD', 'lr': 0.5, 'momentum': 0.9, 'weight_decay': 0.0},
        'paramwise_cfg': {'custom_keys': {frozen: {'lr_mult': 0}}},
    }
    # Every epoch of one step is a plateau.
    plateau = {'factor': 0.5, 'min_drop_abs': 1e6, 'min_drop_rel': 1e6}
    stage = AugmenterStage(model, config, plateau, length=steps, epoch_length=1)
    rates = []
    for step in range(steps):
        stage.train_step(batch(seed=step))
        rates.append(stage.lr)
    return model.augmenter.policy, stage, rates


@pytest.mark.parametrize(
    ('frozen', 'learned'),
    [
        ('magnitude_logits', 'probability_logits'),
        ('probability_logits', 'magnitude_logits'),
    ],
)
def test_half_of_the_policy_stands_still(frozen, learned):
    policy, stage, rates = run_stage(frozen)
    assert torch.equal(getattr(policy, frozen), torch.zeros_like(getattr(policy, frozen)))
    assert getattr(policy, learned).abs().max() > 0
    # The rate that is logged is that of the half that learns.
    assert rates == pytest.approx([0.5, 0.25, 0.125, 0.0625])
    assert sorted(stage.optim_wrapper.get_lr()['lr']) == pytest.approx([0, 0.03125])


def test_half_stands_still_after_a_resume():
    _, stage, _ = run_stage('magnitude_logits')
    state = stage.state_dict()
    policy, other, _ = run_stage('magnitude_logits', steps=1)
    other.length = 6
    other.load_state_dict(state)
    other.train_step(batch(seed=9))
    assert other.lr == pytest.approx(0.03125)
    assert not policy.magnitude_logits.any() and policy.probability_logits.any()
