"""The command ``tst``: its frame, its help, its exit codes."""

import re
import shlex
import subprocess
import sys

import pytest

from tst_mm.cli.app import COMMANDS, command_module, main, make_parser
from tst_mm.cli.completion import script
from tst_mm.version import __version__


def run(*arguments, **options):
    command = [sys.executable, '-m', 'tst_mm', *arguments]
    return subprocess.run(command, capture_output=True, text=True, **options)


@pytest.fixture
def tst(capsys):
    """Run the command in this process; returns its exit code, stdout and stderr."""

    def call(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit:
            code = exit.code
        return code, *capsys.readouterr()

    return call


def test_overview_names_all_and_imports_little():
    code = (
        'import sys; from tst_mm.cli.app import main; main(["--help"]);'
        "print([m for m in ('torch', 'mmcv', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert all(f'  {name} ' in done.stdout for name in COMMANDS)
    assert done.stdout.endswith('[]\n')


def test_as_a_module():
    done = run('--version')
    assert (done.returncode, done.stdout) == (0, f'tst_mm {__version__}\n')


@pytest.mark.parametrize('name', COMMANDS)
def test_help_has_examples_that_are_right(tst, name, monkeypatch):
    code, out, _ = tst(*name.split(), '--help')
    assert code == 0 and f'usage: tst {name}' in out
    examples = re.findall(rf'^  (?:eval .*)?tst ({name}.*)$', out.replace('\\\n', ''), re.M)
    assert examples
    for example in examples:
        words = shlex.split(example.split(')')[0].split(' > ')[0], comments=True)
        make_parser(command_module(name)).parse_args(words[len(name.split()) :])


@pytest.mark.faults
@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'usage: tst COMMAND'),
        (['trian'], "tst: unknown command 'trian'; did you mean 'train'? allowed: demo"),
        (['check'], 'tst: check is followed by nothing; allowed: data, config'),
        (['check', 'dat'], "tst: check is followed by 'dat'; did you mean 'data'?"),
        (['export', 'teacher'], 'allowed: student, policy'),
        (['train'], 'the following arguments are required: config'),
        (['report', 'run', '--ot', 'x'], 'unrecognized arguments: --ot x'),
        (['distill', 'a.py'], 'the following arguments are required: --teacher'),
    ],
)
def test_wrong_usage_is_2(tst, words, message):
    code, out, err = tst(*words)
    assert (code, out) == (2, '') and message in err


@pytest.mark.faults
@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['train', 'none.py'], "no config 'none.py'"),
        (['test', 'none.py', 'none.pth'], "no config 'none.py'"),
        (['report', 'none'], 'none'),
        (['export', 'student', 'none.pth'], "no checkpoint 'none.pth'"),
        (['export', 'policy', 'none.json'], "no policy file 'none.json'"),
        (['check', 'data', 'none'], "data: 'none' is not a folder"),
        (['check', 'config', 'none.py'], "no config 'none.py'"),
        (['distill', 'none.py', '--teacher', 'a.py'], "student: no config file 'none.py'"),
        (['distill', 'mmpre::a.py', '--teacher', 'a.py'], "did you mean 'mmpretrain'?"),
        (
            ['distill', 'mmpretrain::resnet/resnet19_8xb32_in1k.py', '--teacher', 'a.py'],
            "did you mean 'resnet/resnet18_8xb32_in1k.py'?",
        ),
    ],
)
def test_failures_are_1_and_one_line(tst, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = tst(*words)
    assert code == 1 and message in err
    assert err.startswith('error: ') and err.count('\n') == 1
    assert not list(tmp_path.iterdir())


def test_a_group_lists_its_commands(tst):
    assert tst('check', '--help') == (0, 'tst check data\ntst check config\n', '')


def test_info_says_what_is_there(tst):
    import torch

    code, out, _ = tst('info')
    assert code == 0
    assert f'tst_mm       {__version__} ' in out
    assert f'torch        {torch.__version__.split("+")[0]}' in out
    assert re.search(r'^device +(CPU, \d+ cores|.+)$', out, re.M)
    for task in ('classification', 'detection', 'segmentation'):
        assert re.search(rf'^{task} +for example mm', out, re.M), out


@pytest.mark.parametrize(
    ('line', 'found'),
    [
        ('tst di', {'distill'}),
        ('tst check ', {'data', 'config'}),
        ('tst check data --no', {'--no-picture'}),
        ('tst train --re', {'--resume'}),
    ],
)
def test_completion_of_bash(line, found, tmp_path):
    words = line.split(' ')
    quoted = ' '.join(f"'{word}'" for word in words)
    ask = f'COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _tst; echo "${{COMPREPLY[@]}}"'
    command = ['bash', '--norc', '-c', f'{script("bash")}\n{ask}']
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert set(done.stdout.split()) == found


def test_completion_of_other_shells():
    assert script('zsh').startswith('autoload') and script('bash') in script('zsh')
    assert 'complete -c tst -n "__fish_seen_subcommand_from train" -l resume' in script('fish')


def test_tools_are_the_commands(tool):
    """A script of ``tools`` takes what the command takes."""
    for name in ('train', 'test', 'report', 'demo', 'export student', 'export policy'):
        code, out, _ = tool(f'{name.replace(" ", "_")}.py', '--help')
        parser = make_parser(command_module(name))
        options = [text for action in parser._actions for text in action.option_strings]
        assert code == 0 and all(option in out for option in options), name
