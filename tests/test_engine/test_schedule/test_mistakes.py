"""Mistakes in the arguments of the schedule show before training."""

import pytest

from tst_mm.engine.schedule import AlternatingScheduleHook
from tst_mm.utils.hooks import find_hook


@pytest.mark.faults
def test_mistakes_show_before_training(make_runner):
    runner = make_runner('run', {'stages': [{'begin': 3, 'length': 1}]})
    with pytest.raises(ValueError, match='is 3 epochs, but .* after 3 epochs'):
        runner.train()
    assert runner.iter == 0


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        ({'plateau': {'facto': 1}}, KeyError, "'facto'; did you mean 'factor'"),
        ({'plato': {}}, KeyError, "'plato'; did you mean 'plateau'"),
        ({'search': {'draws': 1}}, ValueError, 'draws is 1; allowed: whole numbers from 2'),
        ({'search': {'temperatur': 1}}, KeyError, "'temperatur'; did you mean 'temperature'"),
        (
            {'search': {'type': 'tst_mm.MeasureSearch'}},
            KeyError,
            "did you mean 'tst_mm.MeasuringSearch'",
        ),
        ({'search': {'draws': 2}, 'plateau': None}, KeyError, "has search and .'plateau'."),
        ({'interval': 0}, ValueError, 'interval is 0'),
        ({'checkpoint_interval': 1.5}, ValueError, 'checkpoint_interval is 1.5'),
        ({'stages': [{'begin': 0}]}, KeyError, 'no length'),
    ],
)
def test_mistakes_show_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        AlternatingScheduleHook(**{'stages': [], **arguments})


@pytest.mark.faults
def test_model_without_augmenter(make_runner):
    runner = make_runner('run', {'stages': []})
    runner.model._augmenter.module = None
    with pytest.raises(ValueError, match='ClassificationDistiller.* has no augmenter'):
        runner.train()


@pytest.mark.faults
def test_resume_with_other_operators(make_runner):
    first = make_runner('run', {'stages': []}, length=1)
    first.train()
    model = first.cfg.model
    model.augmenter = {
        'type': 'tst_mm.LearnedAugmenter',
        'operators': ['Rotate', 'Invert'],
        'num_ops': 1,
    }
    runner = make_runner('run', {'stages': []}, length=2, resume=True, model=model)
    with pytest.raises(ValueError, match='but the augmenter has Rotate, Invert'):
        runner.train()
    assert find_hook(runner, AlternatingScheduleHook).schedule == []
