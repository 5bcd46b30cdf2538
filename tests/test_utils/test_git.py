"""What is told of the repository around a folder."""

import subprocess

import pytest

from tst_mm.utils.git import git_changed, git_commit, git_state


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit of one file."""

    def git(*command):
        who = ['-c', 'user.name=a', '-c', 'user.email=a@b']
        subprocess.run(['git', *who, *command], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / 'file').write_text('one')
    git('init')
    git('add', '.')
    git('commit', '-m', 'first')
    return tmp_path


def test_commit_and_changes(repository):
    commit = git_commit(repository)
    assert len(commit) == 40 and commit.startswith(git_commit(repository, short=True))
    assert not git_changed(repository)
    (repository / 'new').touch()  # not tracked
    assert git_state(repository) == git_commit(repository, short=True)
    (repository / 'file').write_text('two')
    assert git_changed(repository) and git_changed(repository, ['file'])
    assert not git_changed(repository, ['elsewhere'])
    assert git_state(repository) == git_commit(repository, short=True) + '+'


def test_outside_of_a_repository(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv('GIT_CEILING_DIRECTORIES', str(tmp_path.parent))
    assert git_commit(tmp_path) is None
    assert not git_changed(tmp_path)
    assert git_state(tmp_path) == 'unknown'
    monkeypatch.setenv('PATH', '')
    assert git_commit(tmp_path) is None
    assert capfd.readouterr() == ('', '')
