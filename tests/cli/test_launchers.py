"""The scripts that start several processes, with commands that print what they are given."""

import os
import subprocess

import pytest


@pytest.fixture
def launch(root, tmp_path):
    """Run a script of ``tools`` from elsewhere; returns exit code, words printed, and stderr."""
    for name in ('python', 'srun'):
        command = tmp_path / 'bin' / name
        command.parent.mkdir(exist_ok=True)
        command.write_text('#!/bin/sh\nbasename "$0"\nprintf "%s\\n" "$@"\nexit "${CODE:-0}"\n')
        command.chmod(0o755)
    (tmp_path / 'elsewhere').mkdir()

    def run(script, *arguments, **environment):
        path = f'{tmp_path / "bin"}{os.pathsep}{os.environ["PATH"]}'
        done = subprocess.run(
            [root / 'tools' / script, *arguments],
            cwd=tmp_path / 'elsewhere',
            env={'PATH': path, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        words = done.stdout.replace(f'{root}/tools/', 'tools/').splitlines()
        return done.returncode, words, done.stderr

    return run


TORCHRUN = 'python -m torch.distributed.run'


@pytest.mark.parametrize(
    ('environment', 'options'),
    [
        ({}, '--nnodes 1 --node_rank 0 --master_addr 127.0.0.1 --master_port 29500'),
        (
            {'NNODES': '2', 'NODE_RANK': '1', 'MASTER_ADDR': '10.0.0.7', 'PORT': '4000'},
            '--nnodes 2 --node_rank 1 --master_addr 10.0.0.7 --master_port 4000',
        ),
    ],
)
def test_processes_of_a_node(launch, environment, options):
    train = launch('dist_train.sh', 'a b.py', '4', '--cfg-options', 'x=[1, 2]', **environment)
    words = f'{TORCHRUN} {options} --nproc_per_node 4 tools/train.py'.split()
    assert train[:2] == (
        0,
        [*words, 'a b.py', '--launcher', 'pytorch', '--cfg-options', 'x=[1, 2]'],
    )
    test = launch('dist_test.sh', 'a.py', 'b c.pth', '4', '--work-dir', 'd', **environment)
    words[-1] = 'tools/test.py'
    assert test[:2] == (0, [*words, 'a.py', 'b c.pth', '--launcher', 'pytorch', '--work-dir', 'd'])


@pytest.mark.parametrize(
    ('environment', 'gpus', 'per_node', 'cpus'),
    [
        ({}, 8, 8, 5),
        ({'GPUS': '4'}, 4, 4, 5),
        ({'GPUS': '16'}, 16, 8, 5),  # two nodes
        ({'GPUS': '8', 'GPUS_PER_NODE': '4', 'CPUS_PER_TASK': '12'}, 8, 4, 12),
    ],
)
def test_jobs_under_slurm(launch, environment, gpus, per_node, cpus):
    options = (
        f'--gres gpu:{per_node} --ntasks {gpus} --ntasks-per-node {per_node} '
        f'--cpus-per-task {cpus} --kill-on-bad-exit=1 python -u'
    ).split()
    train = launch('slurm_train.sh', 'part', 'my job', 'a.py', 'a dir', '--amp', **environment)
    job = ['srun', '--partition', 'part', '--job-name', 'my job', *options]
    script = ['tools/train.py', 'a.py', '--work-dir', 'a dir', '--launcher', 'slurm', '--amp']
    assert train[:2] == (0, [*job, *script])
    test = launch('slurm_test.sh', 'part', 'my job', 'a.py', 'b c.pth', **environment)
    assert test[:2] == (0, [*job, 'tools/test.py', 'a.py', 'b c.pth', '--launcher', 'slurm'])


def test_further_arguments_of_srun(launch):
    """They are several words, and come after the script's own, so that they win."""
    more = {'SRUN_ARGS': '--quotatype=reserved --time 10'}
    _, words, _ = launch('slurm_train.sh', 'part', 'job', 'a.py', 'dir', **more)
    at = words.index('--quotatype=reserved')
    assert words[at - 1 : at + 4] == [
        '--kill-on-bad-exit=1',
        '--quotatype=reserved',
        '--time',
        '10',
        'python',
    ]


@pytest.mark.parametrize(
    ('script', 'arguments'),
    [
        ('dist_train.sh', []),
        ('dist_train.sh', ['a.py']),
        ('dist_train.sh', ['a.py', '--amp']),
        ('dist_train.sh', ['a.py', '0']),
        ('dist_test.sh', ['a.py', 'b.pth']),
        ('dist_test.sh', ['a.py', '2', 'b.pth']),
        ('slurm_train.sh', ['part', 'job', 'a.py']),
        ('slurm_train.sh', ['part', 'job', 'a.py', '--amp']),
        ('slurm_test.sh', ['part', 'job', 'a.py']),
    ],
)
def test_missing_and_misplaced_arguments(launch, script, arguments):
    code, words, error = launch(script, *arguments)
    assert (code, words) == (2, [])
    usage = [line for line in error.splitlines() if f'tools/{script} ' in line]
    assert usage, error
    assert f'[arguments of tools/{"train" if "train" in script else "test"}.py]' in usage[0]


def test_a_number_of_gpus_that_is_none(launch):
    code, words, error = launch('slurm_train.sh', 'part', 'job', 'a.py', 'dir', GPUS='eight')
    assert (code, words) == (2, [])
    assert 'GPUS=8 (of all nodes)' in error


@pytest.mark.parametrize(
    ('script', 'arguments'),
    [
        ('dist_train.sh', ['a.py', '2']),
        ('dist_test.sh', ['a.py', 'b.pth', '2']),
        ('slurm_train.sh', ['part', 'job', 'a.py', 'dir']),
        ('slurm_test.sh', ['part', 'job', 'a.py', 'b.pth']),
    ],
)
def test_exit_code_is_that_of_the_run(launch, script, arguments):
    assert launch(script, *arguments, CODE='75')[0] == 75
