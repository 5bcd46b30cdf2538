"""Old spellings of configs build for one more release, and say what to write now."""

import warnings

import pytest
import torch
from test_models.helpers import batch, distiller, policy_of, policy_optimizer

from test_paper.helpers import augmenter_step
from tst_mm.augment import LearnedAugmenter
from tst_mm.utils.aliases import SWITCHES, current_augmenter, current_objective

PAPER = {'type': 'tst_mm.PaperAugmenter', 'preset': 'paper'}


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ({'preset': 'paper'}, {'preset': 'paper'}, "preset='paper'"),
        (
            {'sign': 'positive', 'num_ops': 3},
            {'sign': 'positive', 'num_ops': 3, 'preset': 'recommended'},
            "sign='positive', num_ops=3, preset='recommended'",
        ),
        (
            {'operators': 'fitted'},
            {'operators': 'fitted', 'preset': 'recommended'},
            "operators='fitted'",
        ),
    ],
)
def test_an_old_augmenter_is_the_published_form(old, new, words):
    config = {'type': 'tst_mm.LearnedAugmenter', **old}
    with pytest.warns(FutureWarning) as caught:
        model = distiller(augmenter=old)
    # Importing other packages may warn too.
    (message,) = (str(w.message) for w in caught if w.category is FutureWarning)
    assert "write augmenter=dict(type='tst_mm.PaperAugmenter'" in message and words in message
    assert type(model.augmenter).__name__ == 'PaperAugmenter'
    assert type(model.objective).__name__ == 'FlippedObjective'
    with pytest.warns(FutureWarning):
        assert current_augmenter(config) == {**new, 'type': 'tst_mm.PaperAugmenter'}
    assert 'preset' in old or 'preset' not in config  # the given one is not modified


def test_old_switches_have_their_old_values():
    """One that is given is changed, all others are those that LearnedAugmenter had."""
    with pytest.warns(FutureWarning):
        augmenter = distiller(augmenter={'temperature': 0.1}).augmenter
    assert (augmenter.temperature, augmenter.sharing, augmenter.gate) == (0.1, 'sample', 'hard')
    assert (augmenter.sign, augmenter.composition, augmenter.clamp) == ('random', 'sequence', True)
    assert augmenter.policy.squashing == 'single' and augmenter.coordinates == 'pixel'


@pytest.mark.parametrize(
    'config',
    [
        {'type': 'tst_mm.TeachingObjective', 'preset': 'paper'},
        {'form': 'difference', 'cap': 2.0},
        {'type': 'tst_mm.TeachingObjective'},
    ],
)
def test_an_old_objective_is_the_flipped_one(config):
    with pytest.warns(FutureWarning, match=r'write objective=dict\(.*tst_mm.FlippedObjective'):
        model = distiller(augmenter=PAPER, objective=config)
    objective = model.objective
    assert type(objective).__name__ == 'FlippedObjective'
    assert objective.form == config.get('form', 'flipped')
    assert objective.cap == config.get('cap', 10.0)
    before = policy_of(model)
    augmenter_step(model, batch(), policy_optimizer(model))
    assert not torch.equal(policy_of(model), before)


def test_what_is_written_as_now_says_nothing():
    own = {'type': 'tst_mm.MyObjective', 'form': 'difference'}
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for config in (PAPER, {'type': 'tst_mm.LearnedAugmenter', 'num_ops': 3}, {'sign': 1}):
            assert current_augmenter(config) is config
        for config in (own, {}, {'type': 'tst_mm.FlippedObjective', 'cap': 2.0}):
            assert current_objective(config, PAPER) is config


@pytest.mark.parametrize('key', SWITCHES)
def test_built_directly_an_old_switch_names_the_new_way(key):
    with pytest.raises(KeyError, match=f'PaperAugmenter.*recommended.*{key}=') as caught:
        LearnedAugmenter(**{key: 'positive'})
    assert 'published form' in str(caught.value)
