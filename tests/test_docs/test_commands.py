"""The commands in the documentation: files that exist, options that their tools accept."""

import argparse
import os
import re
import runpy
import shlex
import sys
from importlib.util import find_spec

import pytest

from test_docs.pages import DOCS, PAGES, ROOT, blocks, fences, named_blocks
from tst_mm.cli import app

PROGRAMS = ('make', 'python', 'tst')


class Parsed(BaseException):
    """The command line was accepted."""


def commands():
    """Every command of every page, without variables in front and comments behind."""
    found = {}
    for page in PAGES:
        for text in (text for language, text in fences(page) if language in ('', 'bash', 'sh')):
            for line in text.replace('\\\n', ' ').splitlines():
                try:
                    words = shlex.split(line, comments=True)
                except ValueError:  # prose, with an apostrophe
                    continue
                while words and re.match(r'[A-Z_]+=', words[0]):
                    words = words[1:]
                if words and (words[0] in PROGRAMS or words[0].startswith('tools/')):
                    found[' '.join(words)] = words
    return found


COMMANDS = commands()
SCRIPTS = {key: words[1:] for key, words in COMMANDS.items() if words[1].startswith('tools/')}
TST = {key: words[1:] for key, words in COMMANDS.items() if words[0] == 'tst'}


def test_there_are_commands_of_every_kind():
    assert len(SCRIPTS) > 10
    assert {words[0].split('/')[0] for words in COMMANDS.values()} == {*PROGRAMS, 'tools'}


@pytest.mark.parametrize('command', SCRIPTS)
def test_a_tool_accepts_its_options(command, monkeypatch):
    script, *arguments = SCRIPTS[command]
    parse_args = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser, args=None, namespace=None):
        parse_args(parser, args, namespace)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_and_stop)
    monkeypatch.setattr(sys, 'argv', [script, *arguments])
    with pytest.raises(Parsed):
        runpy.run_path(str(ROOT / script), run_name='__main__')


def test_an_option_that_is_not_there_is_found(monkeypatch, capsys):
    monkeypatch.setitem(SCRIPTS, 'wrong', ['tools/train.py', 'my_tst.py', '--resume-from', 'x'])
    with pytest.raises(SystemExit):
        test_a_tool_accepts_its_options('wrong', monkeypatch)
    assert '--resume-from' in capsys.readouterr().err


@pytest.mark.parametrize('command', TST)
def test_the_command_accepts_its_options(command):
    for length in (2, 1):
        name = ' '.join(TST[command][:length])
        if name in app.COMMANDS:
            app.make_parser(app.command_module(name)).parse_args(TST[command][length:])
            return
    raise AssertionError(f'no command {TST[command][0]!r}')


@pytest.mark.parametrize('command', sorted(COMMANDS.keys() - SCRIPTS.keys() - TST.keys()))
def test_programs_and_targets_exist(command):
    program, *arguments = COMMANDS[command]
    if program == 'make':
        targets = re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE)
        named = {word for word in arguments if '=' not in word}
        assert named and named <= set(targets)
    elif program == 'python':
        if arguments[0] == '-m':
            assert find_spec(arguments[1])
        else:
            assert arguments[0] == '-c'
            compile(arguments[1], command, 'exec')
    else:
        assert os.access(ROOT / program, os.X_OK)


def test_configs_in_commands_are_shipped_or_shown():
    shown = named_blocks(DOCS / 'get_started.md')
    for command, words in COMMANDS.items():
        for word in words:
            if word.startswith('configs/') and '$' not in word:
                assert (ROOT / word).is_file(), command
            if re.fullmatch(r'my_\w+\.py', word):
                assert word in shown, command


def test_every_page_with_code_has_a_test():
    """A page that a new test runs is named there; this finds the page that nobody runs."""
    files = [*(ROOT / 'tests/test_docs').glob('test_*.py'), ROOT / 'tests/test_paper/test_page.py']
    tests = ''.join(path.read_text() for path in files)
    for page in PAGES:
        if blocks(page, 'python') or blocks(page, 'diff'):
            assert page.name in tests, page.name
