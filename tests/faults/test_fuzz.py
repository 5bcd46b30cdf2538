"""Mistaken configs: only documented errors come out, and they name what is wrong."""

import json
from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_engine.toy import STUDENT
from test_models.helpers import classifier

from tst_mm.augment.augmenter import LearnedAugmenter
from tst_mm.engine.schedule import AlternatingScheduleHook
from tst_mm.engine.schedule.stages import parse_stages, resolve_stages
from tst_mm.models.build import build_model
from tst_mm.models.distillers.classification import ClassificationDistiller
from tst_mm.models.distillers.kd import build_kd
from tst_mm.models.teacher import FrozenTeacher
from tst_mm.search import TeachingObjective

from .fuzz import JUNK, changed, check, fuzz

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

HOOK = {
    'stages': [{'begin': 1, 'length': 2}, {'begin': 3, 'iters': 5}],
    'by_epoch': True,
    'search': {
        'type': 'tst_mm.MeasuringSearch',
        'temperature': 1.5,
        'forgetting': 0.7,
        'draws': 3,
    },
    'interval': 10,
    'checkpoint_interval': 100,
}


@fuzz(12)
@given(changed(HOOK))
def test_schedule_hook(case):
    config, words = case
    check(lambda: AlternatingScheduleHook(**config), words=words)


PERIOD = {'first': 3, 'every': 2, 'iters': 4}


@fuzz(15)
@given(
    changed({'stages': HOOK['stages']}) | changed({'stages': PERIOD}) | JUNK,
    st.integers(1, 20),
)
def test_stages(case, end):
    stages, words = (case[0], case[1]) if isinstance(case, tuple) else ({'stages': case}, ())

    def resolve():
        value = stages.get('stages', [])
        return resolve_stages(parse_stages(value, end), end, 'epochs', 7, 9)

    schedule = check(resolve, words=words)
    for stage in schedule or ():
        assert 0 <= stage.begin < 7 * end and stage.length > 0


AUGMENTER = {
    'operators': ['Brightness', {'type': 'Rotate', 'limit': 20.0}, 'Cutout'],
    'ranges': {'Brightness': 0.5},
    'num_ops': 2,
    'init': {'rate': {'Rotate': 0.3}, 'magnitude': 0.2},
}


@fuzz(15)
@given(changed(AUGMENTER))
def test_augmenter(case):
    config, words = case
    # Without its operator the entry of init is the mistake.
    augmenter = check(lambda: LearnedAugmenter(**config), words=[*words, 'no rate of'])
    if augmenter is not None:
        images, _ = augmenter(torch.zeros(2, 3, 8, 8))
        assert images.isfinite().all()


POLICY = LearnedAugmenter().policy.to_dict()


@fuzz(15)
@given(case=changed(POLICY) | JUNK, cut=st.integers(0, 3000), whole=st.booleans())
def test_policy_file(tmp_path_factory, case, cut, whole):
    path = tmp_path_factory.getbasetemp() / 'fuzzed.json'
    data = case[0] if isinstance(case, tuple) else case
    text = json.dumps(data)
    path.write_text(text if whole else text[:cut])
    augmenter = check(lambda: LearnedAugmenter(init=str(path)), words=('policy', 'rate', 'magn'))
    if augmenter is not None:
        assert 0 < augmenter.policy.rates().min() <= augmenter.policy.rates().max() < 1


OBJECTIVE = {'teacher_weight': 1.0, 'student_weight': 1}


@fuzz(8)
@given(changed(OBJECTIVE))
def test_objective(case):
    config, words = case
    check(lambda: TeachingObjective(**config), words=words)


TEACHER = {'model': classifier(), 'checkpoint': 'random', 'allow_partial': False}


@fuzz(3)
@given(changed({**TEACHER, 'model': None}))
def test_teacher(case):
    config, words = case
    if isinstance(config, dict) and config.get('model', 1) is None:
        config['model'] = deepcopy(TEACHER['model'])
    check(FrozenTeacher, config, words=[*words, 'teacher'])


KD = {
    'student_recorders': {'logits': {'type': 'ModuleOutputs', 'source': 'head.fc'}},
    'teacher_recorders': {'logits': {'type': 'ModuleOutputs', 'source': 'head.fc'}},
    'connectors': {},
    'distill_losses': {'loss_kd': {'type': 'KLDivergence', 'tau': 1}},
    'loss_forward_mappings': {
        'loss_kd': {
            'preds_S': {'recorder': 'logits', 'from_student': True},
            'preds_T': {'recorder': 'logits', 'from_student': False},
        }
    },
}


@pytest.fixture(scope='module')
def networks():
    return build_model('student', classifier()), build_model('teacher', classifier())


@fuzz(8)
@given(case=changed(KD))
def test_distillation_losses(networks, case):
    config, words = case
    check(build_kd, config, *networks, words=[*words, 'distiller'])


DISTILLER = {
    'teacher': {'model': STUDENT, 'checkpoint': 'random'},
    'augmenter': {'type': 'tst_mm.LearnedAugmenter', 'num_ops': 2},
    'objective': {'type': 'tst_mm.TeachingObjective', 'student_weight': 0.5},
    'distiller': None,
    'batch_mode': 'split',
}


@fuzz(2)
@given(case=changed({key: DISTILLER[key] for key in ('objective', 'batch_mode', 'augmenter')}))
def test_distiller(case):
    config, words = case
    arguments = {**DISTILLER, **{key: None for key in DISTILLER if key not in config}, **config}
    arguments['teacher'] = deepcopy(DISTILLER['teacher'])
    arguments.setdefault('batch_mode', 'split')
    check(lambda: ClassificationDistiller(student=deepcopy(STUDENT), **arguments), words=words)


def test_the_unchanged_inputs_are_accepted():
    """So that what is refused is refused for its change."""
    AlternatingScheduleHook(**HOOK)
    LearnedAugmenter(**deepcopy(AUGMENTER))
    TeachingObjective(**OBJECTIVE)
    FrozenTeacher(deepcopy(TEACHER))
