"""What checkpoints of TST hold: student, connectors, our state; nothing of the teacher."""

import pytest

from tst_mm.utils.checkpoints import read_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(600)]

RESUMABLE = {
    'meta',
    'state_dict',
    'message_hub',
    'optimizer',
    'param_schedulers',
    'tst_mm',
    'tst_mm_resume',
}
#: What an adaptive amount adds.
ADAPTIVE = {'tst_mm_amount'}
#: By task: the last checkpoint, and how the names of its weights begin.
HELD = {
    'classification': ('epoch_3.pth', {'student.'}),
    'retinanet': ('epoch_3.pth', {'student.', 'distiller.connectors.mimic_p'}),
    'segmentation_workers': ('iter_8.pth', {'student.'}),
}


@pytest.mark.parametrize('task', HELD)
def test_what_a_checkpoint_holds(whole, task):
    run, _, _ = whole(task)
    last, prefixes = HELD[task]
    best = {path.name for path in run.work.glob('best_*.pth')}
    stage = 'augmenter_stage2_iter3.pth'
    assert len(best) == 1
    for name in (last, stage, *best):
        checkpoint = read_checkpoint(run.work / name)
        averages = checkpoint.pop('ema_state_dict', None)
        without = {'optimizer', 'param_schedulers'} if name in best else set()
        assert checkpoint.keys() - ADAPTIVE == RESUMABLE - without
        weights = checkpoint['state_dict']
        assert starts(weights) == prefixes
        if task == 'classification':
            assert starts(averages) == {'steps', *(f'module.{prefix}' for prefix in prefixes)}
        student = read_checkpoint(run.work / f'student_{name}')
        assert student.keys() == {'meta', 'state_dict'}
        names = {key.removeprefix('student.') for key in weights if key.startswith('student.')}
        assert student['state_dict'].keys() == names

    state = read_checkpoint(run.work / last)['tst_mm']
    assert state['stage'] == 2 and state['running'] is None
    assert state.keys() == {
        'version',
        'schedule',
        'policy',
        'policy_state',
        'search',
        'evidence',
        'stage',
        'running',
        'augmenter',
        'history',
        'provenance',
    }


def starts(weights):
    """The part of each name that tells whose weight it is, up to the component."""
    found = set()
    for key in weights:
        for end in ('student.', 'mimic_p'):
            if end in key:
                key = key[: key.index(end) + len(end)]
                break
        found.add(key)
    return found
