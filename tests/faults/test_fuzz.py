"""Mistaken and hostile input: only documented errors come out, and nothing inside is executed.

``TST_MM_FAULTS=full pytest tests/faults/test_fuzz.py`` tries more than 10,000 cases.
"""

import io
import json
import os
import random
from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_engine.toy import STUDENT
from test_models.helpers import classifier

from tst_mm.augment.augmenter import LearnedAugmenter
from tst_mm.engine.safety.student_weights import student_checkpoint
from tst_mm.engine.schedule import AlternatingScheduleHook
from tst_mm.engine.schedule.augmenter_stage import AugmenterStage
from tst_mm.engine.schedule.schedule_state import check_state, pack_state
from tst_mm.engine.schedule.stages import Stage, parse_stages, resolve_stages
from tst_mm.models.build import build_model
from tst_mm.models.distillers.classification import ClassificationDistiller
from tst_mm.models.distillers.kd import build_kd
from tst_mm.models.teacher import FrozenTeacher
from tst_mm.paper import FlippedObjective, PaperAugmenter
from tst_mm.search import MeasuringSearch, TeachingObjective
from tst_mm.utils.checkpoints import read_checkpoint

from .harness import FULL

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

CASES = 10_500 if FULL else 350
DOCUMENTED = (KeyError, ValueError, TypeError, FileNotFoundError)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-3, 12)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(['flipped', 'Rotate', 'random', 'none.pth', 'a://b', 1e400, 10**400])
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=5,
)


def fuzz(share):
    """Run a test on this many of a hundred of the cases."""
    return settings(
        max_examples=CASES * share // 100,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # making a failing case smaller takes minutes with real networks
    )


@st.composite
def changed(draw, config):
    """A config with an entry replaced, removed or added, and the words that name the entry."""
    config = deepcopy(config)
    node, words = config, []
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        words.append(str(key))
        if not isinstance(node[key], (dict, list)) or not node[key] or draw(st.booleans()):
            break
        node = node[key]
    how = draw(st.sampled_from(['replace', 'replace', 'remove', 'add']))
    value = draw(JUNK)
    if how == 'add' and isinstance(node, dict):
        name = draw(st.text(min_size=1, max_size=6))
        words.append(name)
        node[name] = value
    elif how == 'add':
        node.append(value)
    elif how == 'remove' and keys:
        del node[key]
    elif keys:
        node[key] = value
    return config, [*words, repr(value)]


def check(call, *args, words=(), **kwargs):
    """Call; an error must be documented, and name one of the words."""
    try:
        return call(*args, **kwargs)
    except DOCUMENTED as error:
        message = str(error.args[0] if isinstance(error, KeyError) else error)
        named = [word for word in words if word.rstrip('s') in message]
        assert named or not words, f'{type(error).__name__}: {message!r} names none of {words}'
        assert len(message) > 8, message
        return None


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


PAPER = {**AUGMENTER, 'temperature': 0.1, 'sharing': 'sample', 'sign': 'random', 'clamp': False}


@fuzz(10)
@given(changed(PAPER))
def test_paper_augmenter(case):
    config, words = case
    augmenter = check(
        lambda: PaperAugmenter(**{'preset': 'recommended', **config}), words=[*words, 'no rate of']
    )
    if augmenter is not None:
        images, _ = augmenter(torch.zeros(2, 3, 8, 8), relaxed=True)
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


OBJECTIVE = {'form': 'flipped', 'teacher_weight': 1.0, 'student_weight': 1, 'cap': 10.0}


@fuzz(8)
@given(changed(OBJECTIVE))
def test_objective(case):
    config, words = case
    check(lambda: FlippedObjective(**config), words=words)


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
    'augmenter': {'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended'},
    'objective': {'form': 'flipped'},
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
    AlternatingScheduleHook(**HOOK)
    LearnedAugmenter(**deepcopy(AUGMENTER))
    PaperAugmenter(preset='recommended', **deepcopy(PAPER))
    FlippedObjective(**OBJECTIVE)
    FrozenTeacher(deepcopy(TEACHER))
    check_state(STATE, SCHEDULE, STATE_POLICY, 8)
    assert student_checkpoint(CHECKPOINT)['state_dict'].keys() == {'a'}
