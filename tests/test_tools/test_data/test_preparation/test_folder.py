"""Prepared folders are complete or absent."""

import json

import pytest

from preparation.errors import PreparationError
from preparation.folder import MARKER, prepare_folder


def write(text):
    """A builder that writes one file."""

    def build(folder):
        (folder / 'file').write_text(text)
        return dict(files=1)

    return build


def test_makes_the_folder_and_remembers_how(tmp_path):
    out = tmp_path / 'deep' / 'out'
    assert prepare_folder(out, dict(size=(2, 3)), write('a')) == dict(files=1)
    assert (out / 'file').read_text() == 'a'
    assert json.loads((out / MARKER).read_text()) == dict(
        recipe=dict(size=[2, 3]), summary=dict(files=1)
    )
    assert [path.name for path in out.parent.iterdir()] == ['out']


def test_same_recipe_leaves_it_alone(tmp_path):
    prepare_folder(tmp_path / 'out', dict(size=(2, 3)), write('a'))
    assert prepare_folder(tmp_path / 'out', dict(size=(2, 3)), write('b')) is None
    assert (tmp_path / 'out/file').read_text() == 'a'


def test_other_recipe_needs_force(tmp_path):
    out = tmp_path / 'out'
    prepare_folder(out, dict(seed=0), write('a'))
    with pytest.raises(PreparationError, match='made with seed=0, asked for is 1: add --force'):
        prepare_folder(out, dict(seed=1), write('b'))
    assert (out / 'file').read_text() == 'a'
    prepare_folder(out, dict(seed=1), write('b'), force=True)
    assert (out / 'file').read_text() == 'b'
    assert [path.name for path in tmp_path.iterdir()] == ['out']


@pytest.mark.parametrize('force', [False, True])
def test_what_the_user_put_there_is_never_touched(tmp_path, force):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/precious').write_text('mine')
    with pytest.raises(PreparationError, match='was not made by this tool'):
        prepare_folder(tmp_path / 'out', {}, write('a'), force)
    assert (tmp_path / 'out/precious').read_text() == 'mine'


@pytest.mark.faults
@pytest.mark.parametrize('fault', [OSError('disk full'), KeyboardInterrupt()])
@pytest.mark.parametrize('there', [False, True])
def test_a_fault_leaves_all_as_it_was(tmp_path, fault, there):
    def build(folder):
        (folder / 'half').write_text('half')
        raise fault

    out = tmp_path / 'data/out'
    if there:
        prepare_folder(out, {}, write('a'))
    with pytest.raises(type(fault)):
        prepare_folder(out, {}, build, force=True)
    assert [path.name for path in out.parent.iterdir()] == ['out'] * there
    assert not there or (out / 'file').read_text() == 'a'


@pytest.mark.faults
def test_place_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(PreparationError, match='cannot write beside'):
        prepare_folder(tmp_path / 'file/out', {}, write('a'))
