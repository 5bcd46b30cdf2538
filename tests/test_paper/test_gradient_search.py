"""The published search as the schedule runs it: optimiser, plateau rule, log, resume."""

import pytest
import torch
from test_engine.test_schedule.test_alternating_schedule_hook import assert_same, hook_of
from test_engine.toy import toy_config
from test_models.helpers import batch

from tst_mm.engine.safety import NonFiniteHook
from tst_mm.paper.gradient_search import GradientSearch
from tst_mm.registry import MODELS
from tst_mm.search import MeasuringSearch

from .helpers import distiller

PAPER = {'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended'}
SEARCH = {'type': 'tst_mm.GradientSearch'}
#: Every epoch of an augmenter is a plateau.
PLATEAU = {'factor': 0.5, 'min_drop_abs': 1e6, 'min_drop_rel': 1e6}


def run_stage(frozen, steps=4, state=None):
    """Search with half of the policy held still; the policy, the search, its rates."""
    model = distiller(augmenter={'num_ops': 14})
    config = {
        'optimizer': {'type': 'SGD', 'lr': 0.5, 'momentum': 0.9, 'weight_decay': 0.0},
        'paramwise_cfg': {'custom_keys': {frozen: {'lr_mult': 0}}},
    }
    search = MODELS.build({**SEARCH, 'optim_wrapper': config, 'plateau': PLATEAU})
    search.check(model)
    search.begin(model, length=6, epoch_length=1)
    if state is not None:
        search.load_state_dict(state)
    rates = []
    for step in range(steps):
        search.step(batch(seed=step))
        rates.append(search.lr())
    return model.augmenter.policy, search, rates


@pytest.mark.parametrize(
    ('frozen', 'learned'),
    [
        ('magnitude_logits', 'probability_logits'),
        ('probability_logits', 'magnitude_logits'),
    ],
)
def test_half_of_the_policy_stands_still(frozen, learned):
    policy, search, rates = run_stage(frozen)
    assert torch.equal(getattr(policy, frozen), torch.zeros_like(getattr(policy, frozen)))
    assert getattr(policy, learned).abs().max() > 0
    # The rate that is logged is that of the half that learns.
    assert rates == pytest.approx([0.5, 0.25, 0.125, 0.0625])
    assert sorted(search.optim_wrapper.get_lr()['lr']) == pytest.approx([0, 0.03125])


def test_half_stands_still_after_a_resume():
    _, search, _ = run_stage('magnitude_logits')
    policy, _, rates = run_stage('magnitude_logits', steps=1, state=search.state_dict())
    assert rates == pytest.approx([0.03125])
    assert not policy.magnitude_logits.any() and policy.probability_logits.any()


def paper_runner(make, name, hook, **changes):
    """A tiny run of the published form."""
    return make(name, {'search': SEARCH, **hook}, model=paper_model(), **changes)


def paper_model():
    model = toy_config('', {}).model
    model.augmenter = PAPER
    return model


def test_momentum_and_learning_rate_start_anew_in_each_stage(make_runner, monkeypatch):
    """One epoch that is a plateau halves the rate, in this stage only."""
    started, original = [], GradientSearch.begin

    def begin(self, *args, **kwargs):
        original(self, *args, **kwargs)
        started.append(len(self.optim_wrapper.optimizer.state))

    monkeypatch.setattr(GradientSearch, 'begin', begin)
    hook = {
        'stages': [{'begin': 0, 'iters': 5}, {'begin': 1, 'iters': 5}],
        'search': {**SEARCH, 'plateau': PLATEAU},
        'interval': 1,
    }
    runner = paper_runner(make_runner, 'run', hook, length=2)
    runner.train()
    rates = [entry['lr'] for entry in hook_of(runner).log.history]
    assert rates == [0.01, 0.01, 0.01, 0.01, 0.005] * 2
    assert started == [0, 0]


def test_killed_inside_a_stage_and_resumed_is_as_never_killed(make_runner, monkeypatch):
    hook = {'stages': [{'begin': 1, 'iters': 6}], 'interval': 2, 'checkpoint_interval': 2}
    whole = paper_runner(make_runner, 'whole', hook, length=2)
    whole.train()
    with monkeypatch.context() as patch:
        original, calls = GradientSearch.step, []

        def step(self, data):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return original(self, data)

        patch.setattr(GradientSearch, 'step', step)
        with pytest.raises(KeyboardInterrupt):
            paper_runner(make_runner, 'killed', hook, length=2).train()
    resumed = paper_runner(make_runner, 'killed', hook, length=2, resume=True)
    resumed.train()
    policies = [hook_of(runner).policy.state_dict() for runner in (resumed, whole)]
    assert_same(*policies)
    assert policies[0]['probability_logits'].any()
    assert hook_of(whole).log.history == hook_of(resumed).log.history


def test_log_line(make_runner, caplog):
    hook = {'stages': [{'begin': 0, 'iters': 4}]}
    runner = paper_runner(make_runner, 'run', hook, length=1, log_level='INFO')
    runner.logger.addHandler(caplog.handler)
    runner.train()
    lines = [line for line in caplog.messages if line.startswith('Augmenter stage')]
    assert lines[0].startswith('Augmenter stage 1/1 [2/4]  lr: 1.0000e-02  eta: 0:00:0')
    assert 'teacher_confidence: ' in lines[0]
    assert 'gap: ' in lines[-1] and ' -> ' in lines[-1]


def test_mistakes_show_before_training(make_runner):
    search = {**SEARCH, 'optim_wrapper': {'optimizer': {'type': 'SDG'}}}
    runner = paper_runner(make_runner, 'run', {'stages': [], 'search': search})
    with pytest.raises(KeyError, match="'SDG'; did you mean 'SGD'"):
        runner.train()
    assert runner.iter == 0


def test_the_recommended_augmenter_has_nothing_that_a_gradient_trains(make_runner):
    runner = make_runner('run', {'stages': [], 'search': {'type': 'tst_mm.GradientSearch'}})
    message = 'trains a policy, that of LearnedAugmenter is set; allowed: .*MeasuringSearch'
    with pytest.raises(TypeError, match=message):
        runner.train()
    assert runner.iter == 0


@pytest.mark.faults
@pytest.mark.parametrize('skips', [0, 1])
def test_a_step_without_numbers_leaves_the_policy_good(make_runner, monkeypatch, skips):
    original, calls = GradientSearch.step, []

    def spoiled(self, data):
        calls.append(1)
        if len(calls) == 2:
            data = {**data, 'inputs': data['inputs'].float()}
            data['inputs'][0, 0, 0, 0] = torch.nan
        return original(self, data)

    monkeypatch.setattr(GradientSearch, 'step', spoiled)
    runner = paper_runner(make_runner, 'run', {'stages': [{'begin': 1, 'iters': 3}]}, length=2)
    runner.register_hook(NonFiniteHook(max_skips=skips))
    if skips:
        runner.train()
    else:
        with pytest.raises(FloatingPointError, match='no number in step iter_4_augmenter_2: loss'):
            runner.train()
    values = hook_of(runner).policy.state_dict().values()
    assert all(value.isfinite().all() and value.any() for value in values)


@pytest.mark.filterwarnings('ignore::FutureWarning')
@pytest.mark.parametrize(
    ('augmenter', 'kind', 'word'),
    [
        (PAPER, GradientSearch, "write search=dict.type='tst_mm.GradientSearch', plateau=None."),
        (
            {'type': 'tst_mm.LearnedAugmenter'},
            MeasuringSearch,
            "dict.type='tst_mm.MeasuringSearch'",
        ),
    ],
)
def test_an_old_schedule_trains_as_its_augmenter_needs(make_runner, augmenter, kind, word):
    """Arguments of an optimiser in the hook: the published search, where a policy has gradients."""
    model = paper_model()
    model.augmenter = augmenter
    runner = make_runner('run', {'stages': [], 'plateau': None}, model=model, length=1)
    with pytest.warns(FutureWarning, match=word):
        runner.train()
    assert type(hook_of(runner).search) is kind
