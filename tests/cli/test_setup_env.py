"""The set-up: what it decides, what it shows, and what it says when a step fails."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest


@pytest.fixture
def console(load, tmp_path):
    return load('setup_steps.console').Console(total=2, log=tmp_path / 'log')


def fail_with(console, output):
    """Run a command that prints something and fails; return the error."""
    error_type = sys.modules['setup_steps.console'].SetupError
    code = f'import sys; print({output!r}); sys.exit(1)'
    with pytest.raises(error_type) as error:
        console.run([sys.executable, '-c', code], lambda line: None)
    return error.value


@pytest.mark.faults
@pytest.mark.parametrize(
    ('output', 'why', 'remedy'),
    [
        ('OSError: [Errno 28] No space left on device', 'disk is full', 'free some space'),
        (
            'NewConnectionError(…)\nERROR: No matching distribution found for torch==2.13.0',
            'package index cannot be reached',
            'network or proxy',
        ),
        (
            'ERROR: No matching distribution found for torch==2.13.0',
            'does not offer that version',
            'private index',
        ),
        (
            'c++: fatal error: Killed signal terminated program cc1plus',
            'out of memory',
            'MAX_JOBS=1',
        ),
        ('[Errno 13] Permission denied: "/opt/x"', 'cannot be written', 'who owns'),
        ('something new', 'a command failed', 'the last output'),
    ],
)
def test_failing_command_names_the_cause(console, tmp_path, output, why, remedy):
    error = fail_with(console, output)
    assert why in error.why
    assert remedy in error.remedy
    assert output.splitlines()[-1] in error.details
    assert str(tmp_path / 'log') in error.details
    assert output.splitlines()[-1] in (tmp_path / 'log').read_text()


def test_steps_and_progress_are_shown(console, load, capsys):
    console.step('torch')
    lines = ['Collecting a', '  Downloading torch-2.whl (190.5 MB)', '  Downloading a.whl (3 kB)']
    code = f'print({chr(10).join(lines)!r})'
    console.run([sys.executable, '-c', code], load('setup_steps.console').pip_progress)
    shown = capsys.readouterr().out.splitlines()
    assert shown == ['[1/2] torch', '      Downloading torch-2.whl (190.5 MB)']


def test_compiler_progress(load, monkeypatch):
    module = load('setup_steps.console')
    clock = iter(range(60, 6000, 60))
    monkeypatch.setattr(module.time, 'monotonic', lambda: next(clock))
    progress = module.NinjaProgress(every=2)
    assert progress('  building mmcv._ext') is None
    assert progress('  [1/10] c++ -c a.cpp') is None
    assert progress('  [2/10] c++ -c b.cpp') == 'compiled 2 of 10'
    assert progress('  [3/10] c++ -c c.cpp') is None
    # 3 objects in 180 s, 6 to go
    assert progress('  [4/10] c++ -c d.cpp') == 'compiled 4 of 10, about 6 min left'
    assert progress('  [10/10] c++ -shared') == 'compiled 10 of 10'


@pytest.mark.faults
@pytest.mark.parametrize(
    ('family', 'version', 'wanted'),
    [
        ('default', (3, 9, 1), '3.10 to 3.13'),
        ('default', (3, 14, 0), '3.10 to 3.13'),
        ('classic', (3, 12, 1), '3.11'),
    ],
)
def test_wrong_python_is_refused(load, monkeypatch, family, version, wanted):
    machine = load('setup_steps.machine')
    monkeypatch.setattr(machine.sys, 'version_info', version)
    with pytest.raises(machine.SetupError, match=f'Python {wanted} is needed') as error:
        machine.check_python(family)
    assert 'apt-get install python3.11' in error.value.remedy


@pytest.mark.parametrize('version', [(3, 10, 0), (3, 11, 7), (3, 12, 1), (3, 13, 0)])
def test_pythons_of_the_default_family(load, monkeypatch, version):
    machine = load('setup_steps.machine')
    monkeypatch.setattr(machine.sys, 'version_info', version)
    machine.check_python()
    assert machine.running() == '.'.join(map(str, version[:2]))


def test_makefile_takes_the_first_python_that_runs(root, tmp_path):
    """A shim that only says that there is no such Python does not count."""
    for name, code in (('python3.11', 1), ('python3.12', 1), ('python3.13', 0)):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nexit {code}\n')
        program.chmod(0o755)
    env = {**os.environ, 'PATH': f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'}
    env.pop('PYTHON', None)
    show = ['make', '--no-print-directory', '-n', 'setup']
    done = subprocess.run(show, cwd=root, env=env, capture_output=True, text=True, check=True)
    assert 'python3.13 tools/setup_env.py --venv .venv' in done.stdout
    env['PYTHON'] = 'python3.12'
    done = subprocess.run(show, cwd=root, env=env, capture_output=True, text=True, check=True)
    assert 'python3.12 tools/setup_env.py' in done.stdout


@pytest.mark.faults
def test_missing_compiler_and_headers(load, monkeypatch, tmp_path):
    machine = load('setup_steps.machine')
    monkeypatch.setenv('CXX', 'no-such-compiler')
    with pytest.raises(machine.SetupError, match='no C.. compiler .*no-such-compiler') as error:
        machine.check_compiler()
    assert error.value.remedy == 'sudo apt-get install g++'
    monkeypatch.setenv('CXX', sys.executable)
    monkeypatch.setattr(machine.sysconfig, 'get_paths', lambda: {'include': str(tmp_path)})
    with pytest.raises(machine.SetupError, match='headers are missing') as error:
        machine.check_compiler()
    assert f'python{machine.running()}-dev' in error.value.remedy
    (tmp_path / 'Python.h').touch()
    machine.check_compiler()


@pytest.mark.faults
def test_too_little_disk(load, monkeypatch, tmp_path):
    machine = load('setup_steps.machine')
    monkeypatch.setattr(machine.shutil, 'which', lambda name: None)
    monkeypatch.setattr(machine.shutil, 'disk_usage', lambda path: SimpleNamespace(free=3.9e9))
    with pytest.raises(machine.SetupError, match=r'3\.9 GB are free .* 4 GB are needed'):
        machine.check_disk(tmp_path)
    monkeypatch.setattr(machine.shutil, 'disk_usage', lambda path: SimpleNamespace(free=4.1e9))
    machine.check_disk(tmp_path)
    monkeypatch.setattr(machine.shutil, 'which', lambda name: f'/usr/bin/{name}')  # a GPU
    with pytest.raises(machine.SetupError, match='12 GB are needed'):
        machine.check_disk(tmp_path)


@pytest.mark.parametrize(
    ('cpus', 'free_gb', 'jobs'), [(2, 24, 2), (64, 12, 10), (8, 0.5, 1), (1, 100, 1)]
)
def test_compilers_fit_into_memory(load, cpus, free_gb, jobs):
    assert load('setup_steps.machine').parallel_jobs(cpus, free_gb) == jobs


def test_free_memory_is_plausible(load):
    assert 0 < load('setup_steps.machine').free_memory_gb() < 1e5


@pytest.mark.faults
def test_both_things_are_done_and_the_first_error_is_told(load):
    module = load('setup_env')
    done = []

    def fail():
        raise module.SetupError('no compiler', 'install one')

    with pytest.raises(module.SetupError, match='no compiler'):
        module.side_by_side(fail, lambda: done.append(1))
    assert done == [1]


def test_what_tests_need_is_installed_only_when_asked_for(load, tmp_path, monkeypatch):
    module = load('setup_env')
    (tmp_path / 'tst_mm-setup').write_text(module.fingerprint('default'))
    ran = []
    monkeypatch.setattr(module.Console, 'run', lambda self, command, *_: ran.append(command))
    for arguments, times in (([], 0), (['--tests'], 1), (['--tests'], 1)):
        assert module.main(['--venv', str(tmp_path), *arguments]) == 0
        assert len(ran) == times
    assert ran[0][-2:] == ['-r', module.REQUIREMENTS / 'tests.txt']


@pytest.mark.parametrize(
    'name', ['build', 'mminstall', 'mminstall-classic', 'optional', 'runtime', 'tests', 'docs']
)
def test_requirements_files_are_valid(load, root, name):
    from packaging.requirements import Requirement

    lines = load('setup_env').read_requirements(root / 'requirements' / f'{name}.txt')
    assert lines
    for line in lines:
        Requirement(line)


@pytest.mark.parametrize('family', ['default', 'classic'])
def test_each_family_pins_everything_and_one_mmcv(load, root, family):
    module = load('setup_env')
    lines = module.read_requirements(root / 'requirements' / module.FAMILIES[family])
    assert all('==' in line for line in lines)
    assert sum(line.split('==')[0].endswith('mmcv') for line in lines) == 1


def test_second_call_does_nothing(load, tmp_path, monkeypatch):
    module = load('setup_env')
    (tmp_path / 'tst_mm-setup').write_text(module.fingerprint('default'))
    monkeypatch.setattr(module, 'Console', None)  # any step would fail
    assert module.main(['--venv', str(tmp_path)]) == 0


def test_wheels_are_named_by_an_option_or_a_variable(load, tmp_path, monkeypatch, capsys):
    module = load('setup_env')
    asked = []
    monkeypatch.setattr(module, 'set_up', lambda family, venv, wheels, tests: asked.append(wheels))
    monkeypatch.delenv('TST_MM_WHEELS', raising=False)
    module.main([])
    (tmp_path / 'one').mkdir()
    monkeypatch.setenv('TST_MM_WHEELS', str(tmp_path / 'one'))
    module.main([])
    module.main(['--wheels', str(tmp_path)])
    assert asked == [None, tmp_path / 'one', tmp_path]
    with pytest.raises(SystemExit):
        module.main(['--wheels', str(tmp_path / 'nowhere')])
    assert f'{tmp_path / "nowhere"} is not a folder' in capsys.readouterr().err


def test_other_family_or_python_means_new_work(load, monkeypatch):
    module = load('setup_env')
    before = module.fingerprint('default')
    assert before == module.fingerprint('default') != module.fingerprint('classic')
    monkeypatch.setattr(module.sys, 'version', '3.11.99')
    assert before != module.fingerprint('default')


@pytest.mark.faults
def test_command_line_names_the_failing_step(root, tmp_path):
    env = {**os.environ, 'PIP_CONFIG_FILE': os.devnull, 'PIP_FIND_LINKS': '', 'PIP_RETRIES': '1'}
    env['PIP_INDEX_URL'] = env['PIP_EXTRA_INDEX_URL'] = 'https://nowhere.invalid/simple'
    command = [sys.executable, 'tools/setup_env.py', '--venv', str(tmp_path / 'venv')]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == '[2/5] torch'
    assert 'set-up failed: the package index cannot be reached' in done.stderr
    assert 'what to do: check the network or proxy' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.faults
def test_folder_that_cannot_be_written(load, tmp_path, capsys):
    (tmp_path / 'file').touch()
    assert load('setup_env').main(['--venv', str(tmp_path / 'file' / 'venv')]) == 1
    assert 'Not a directory' in capsys.readouterr().err


@pytest.mark.faults
def test_disk_that_fills_up_in_the_middle(load, tmp_path, monkeypatch, capsys):
    module = load('setup_env')

    def full(*args, **kwargs):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(module.Console, 'run', full)
    assert module.main(['--venv', str(tmp_path / 'venv')]) == 1
    assert 'set-up failed: the disk is full' in capsys.readouterr().err


@pytest.mark.faults
def test_active_environment_is_not_the_systems_python(load, monkeypatch, capsys):
    module = load('setup_env')
    monkeypatch.setattr(module.sys, 'prefix', '/usr')
    monkeypatch.setattr(module.sys, 'base_prefix', '/usr')
    monkeypatch.delenv('CONDA_PREFIX', raising=False)
    assert module.main(['--venv', 'active']) == 1
    assert 'no environment is active' in capsys.readouterr().err


def test_makefile_lists_its_targets(root):
    done = subprocess.run(['make'], cwd=root, capture_output=True, text=True, check=True)
    for target in ('setup', 'demo', 'test', 'test-classic', 'lint'):
        assert f'make {target} ' in done.stdout


@pytest.mark.faults
def test_makefile_says_that_python_is_missing(root):
    command = ['make', 'setup', 'PYTHON=/no/such/python3.11']
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert '/no/such/python3.11 is not there' in done.stdout
