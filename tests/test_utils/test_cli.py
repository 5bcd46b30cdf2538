"""How an error reaches the user: one line, the cause, and where its traceback is."""

import pytest

from tst_mm.utils.cli import TRACEBACK, one_line_errors

pytestmark = pytest.mark.faults


def fail(error):
    with one_line_errors():
        raise error


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (ValueError('num_ops is 0;\nallowed: 1 to 14'), 'error: num_ops is 0; allowed: 1 to 14 ('),
        (KeyError("unknown key 'a'"), "error: unknown key 'a' ("),
        (RuntimeError('the lamp went out'), 'error: RuntimeError: the lamp went out ('),
        (AssertionError(), 'error: AssertionError: '),
    ],
)
def test_one_line(error, words, capsys):
    with pytest.raises(SystemExit) as exit_:
        fail(error)
    line = capsys.readouterr().err
    assert exit_.value.code == 1 and line.count('\n') == 1
    assert line.startswith(words) and f'{TRACEBACK}=1 shows the traceback' in line


def test_of_several_processes_the_line_names_the_rank(monkeypatch, capsys):
    monkeypatch.setenv('RANK', '1')
    with pytest.raises(SystemExit):
        fail(RuntimeError('the lamp of this rank went out'))
    words = 'error: RuntimeError: the lamp of this rank went out (rank 1; '
    assert capsys.readouterr().err.startswith(words)


def test_the_traceback_is_shown_where_it_is_asked_for(monkeypatch):
    monkeypatch.setenv(TRACEBACK, '1')
    with pytest.raises(RuntimeError, match='the lamp went out'):
        fail(RuntimeError('the lamp went out'))


def test_ctrl_c_says_how_to_go_on(capsys):
    with pytest.raises(SystemExit) as exit_:
        fail(KeyboardInterrupt())
    assert exit_.value.code == 130 and '--resume' in capsys.readouterr().err
