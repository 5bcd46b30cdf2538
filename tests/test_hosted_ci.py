"""The workflow files: they are valid, and call the same targets of the Makefile as ``.ci/run``."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / '.github' / 'workflows').glob('*.yml'))
TARGETS = set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))


def read(path):
    content = yaml.safe_load(path.read_text(encoding='utf-8'))
    return {'on' if key is True else key: value for key, value in content.items()}  # YAML's "on"


def commands(workflow):
    return [
        step['run'] for job in workflow['jobs'].values() for step in job['steps'] if 'run' in step
    ]


def made(text):
    """The targets that a shell text makes."""
    return set(re.findall(r'^\s*(?:timeout \d+ )?make ([a-z-]+)', text, re.MULTILINE))


def test_there_are_workflows_for_every_kind_of_check():
    assert [path.stem for path in WORKFLOWS] == ['build', 'docs', 'lint', 'test']


@pytest.mark.parametrize('path', WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_one_and_makes_what_there_is(path):
    workflow = read(path)
    assert workflow['name'] == path.stem and {'push', 'pull_request'} <= set(workflow['on'])
    assert workflow['permissions'] == {'contents': 'read'}
    for job in workflow['jobs'].values():
        assert job['runs-on'] and job['timeout-minutes'] <= 90
        for step in job['steps']:
            assert ('uses' in step) != ('run' in step)
            assert re.fullmatch(r'actions/[\w-]+@v\d+', step.get('uses', 'actions/none@v1'))
    for command in commands(workflow):
        assert made(command) and made(command) <= TARGETS, command


def test_the_workflows_make_all_that_the_script_makes():
    script = made((ROOT / '.ci' / 'run').read_text(encoding='utf-8'))
    hosted = set().union(*(made(text) for path in WORKFLOWS for text in commands(read(path))))
    script -= {'setup-tests', 'setup-classic'}  # which test and test-classic make too
    assert script >= {'test', 'lint', 'docs', 'test-classic', 'dist'} and hosted == script


def test_both_families_and_two_pythons_are_tested():
    jobs = read(ROOT / '.github' / 'workflows' / 'test.yml')['jobs']
    assert len(jobs['default']['strategy']['matrix']['python']) == 2
    assert 'test-classic' in jobs['classic']['steps'][-1]['run']


def test_forms_are_valid():
    for path in (ROOT / '.github' / 'ISSUE_TEMPLATE').glob('*.yml'):
        form = yaml.safe_load(path.read_text(encoding='utf-8'))
        if path.stem != 'config':
            assert form['name'] and form['description'] and form['body']
            assert all(part['type'] and part['attributes']['label'] for part in form['body'])


def test_recipes_name_files_that_are_there():
    """What the image copies exists; the environment is the one that the set-up takes."""
    lines = (ROOT / 'docker' / 'Dockerfile').read_text(encoding='utf-8').splitlines()
    copied = [word for line in lines if line.startswith('COPY') for word in line.split()[1:-1]]
    assert copied and all((ROOT / name).exists() for name in copied)
    conda = yaml.safe_load((ROOT / 'environment.yml').read_text(encoding='utf-8'))
    assert 'python=3.11' in conda['dependencies']
