"""Mistaken and hostile checkpoints: only documented errors come out, nothing inside is run."""

import io
import os
import random
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tst_mm.augment.augmenter import LearnedAugmenter
from tst_mm.engine.safety.student_weights import student_checkpoint
from tst_mm.engine.schedule import AlternatingScheduleHook
from tst_mm.engine.schedule.augmenter_stage import AugmenterStage
from tst_mm.engine.schedule.schedule_state import check_state, pack_state
from tst_mm.engine.schedule.stages import Stage
from tst_mm.search import MeasuringSearch, TeachingObjective
from tst_mm.utils.checkpoints import read_checkpoint

from .fuzz import JUNK, changed, check, fuzz

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

SCHEDULE = [Stage(4, 6), Stage(8, 4)]


def state_of_a_stage():
    """The state in the middle of the second stage, and what it belongs to."""
    model = SimpleNamespace(augmenter=LearnedAugmenter(), objective=TeachingObjective())
    search = MeasuringSearch()
    search.check(model)
    stage = AugmenterStage(search, model, 4, 4)
    policy = model.augmenter.policy
    draw = model.augmenter.draw([(8, 8)] * 40)
    search.experiment.observe(draw.gates, draw.magnitudes, torch.randn(40))
    model.objective.update({'loss': torch.tensor(1.0)})
    stage.step = 1
    stage.window.add({'loss': torch.tensor(1.0)})
    return pack_state(SCHEDULE, policy, search, 1, stage, [], []), policy, stage


STATE, STATE_POLICY, STATE_STAGE = state_of_a_stage()


@fuzz(10)
@given(changed(STATE))
def test_state_in_a_checkpoint(case):
    state, words = case

    def resume():
        check_state(state, SCHEDULE, STATE_POLICY, 8)
        STATE_POLICY.load_state_dict(state['policy_state'])
        hook = SimpleNamespace(search=STATE_STAGE.search)
        stage = None if state['running'] is None else STATE_STAGE
        AlternatingScheduleHook._restore(hook, stage, state['running'], state['search'])

    check(resume, words=[*words, 'checkpoint'])


CHECKPOINT = {
    'state_dict': {'student.a': torch.ones(2), 'augmenter.b': torch.ones(1)},
    'meta': {'epoch': 1, 'iter': 8, 'seed': 3, 'dataset_meta': {'classes': ['a', 'b']}},
}


@fuzz(4)
@given(changed(CHECKPOINT) | st.dictionaries(st.integers() | st.text(), JUNK))
def test_student_of_a_checkpoint(case):
    checkpoint = case[0] if isinstance(case, tuple) else case
    student = check(student_checkpoint, checkpoint, words=('checkpoint',))
    if student is not None:
        torch.save(student, buffer := io.BytesIO())
        torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)


class Attack:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@fuzz(8)
@given(seed=st.integers(0, 2**32), attack=st.booleans(), old=st.booleans(), cut=st.booleans())
def test_bytes_of_a_checkpoint(tmp_path_factory, seed, attack, old, cut):
    folder = tmp_path_factory.getbasetemp()
    content = {**CHECKPOINT, 'tst_mm': STATE}
    if attack:
        content['meta'] = Attack(str(folder / 'executed'))
    torch.save(content, buffer := io.BytesIO(), _use_new_zipfile_serialization=not old)
    data, draw = bytearray(buffer.getvalue()), random.Random(seed)
    for _ in range(draw.choice([0, 1, 3, 30])):
        data[draw.randrange(len(data))] = draw.randrange(256)
    if cut:
        del data[draw.randrange(len(data)) :]
    path = folder / 'fuzzed.pth'
    path.write_bytes(bytes(data))
    assert isinstance(check(read_checkpoint, path, words=('fuzzed.pth',)), (dict, type(None)))
    assert not (folder / 'executed').exists()


def test_the_unchanged_inputs_are_accepted():
    """So that what is refused is refused for its change."""
    check_state(STATE, SCHEDULE, STATE_POLICY, 8)
    assert student_checkpoint(CHECKPOINT)['state_dict'].keys() == {'a'}
