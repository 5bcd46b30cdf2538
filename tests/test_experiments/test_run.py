"""What a run leaves and what it may remove."""

from pathlib import Path

import pytest

from tst_mm.experiments import fingerprint
from tst_mm.experiments.run import TRAIN


def test_a_folder_of_somebody_else_is_never_removed(place):
    run = place.make('plain')
    run.folder.mkdir(parents=True)
    (run.folder / 'thesis.tex').touch()
    run.prepare()
    assert (run.folder / 'thesis.tex').exists()


def test_the_script_that_trains_is_there(root):
    assert TRAIN.resolve() == root / 'tools' / 'train.py'


def test_fingerprints_change_with_content_and_with_order_only_when_asked():
    one, other = {'a': 1, 'b': [Path('x')]}, {'b': [Path('x')], 'a': 1}
    assert fingerprint(one) == fingerprint(other) != fingerprint({**one, 'a': 2})
    assert fingerprint(one, in_order=True) != fingerprint(other, in_order=True)


@pytest.mark.parametrize('change', ['seed', 'teacher', 'config'])
def test_the_fingerprint_of_a_run_changes_with_what_is_trained(place, change):
    teacher = place.make('teacher')
    before = place.make('kd', teacher).fingerprint
    assert before == place.make('kd', place.make('teacher')).fingerprint
    if change == 'config':
        (place.root / 'kd.py').write_text('steps = 5\n')
    teacher = None if change == 'teacher' else teacher
    assert place.make('kd', teacher, seed=int(change == 'seed')).fingerprint != before
