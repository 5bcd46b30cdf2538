"""What ``mim`` and others read about the configs, and the page of those without a result."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'recipes.md').read_text(encoding='utf-8')

pytestmark = pytest.mark.configs


@pytest.fixture(scope='module')
def index():
    from modelindex.load_model_index import load

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield load('model-index.yml')


def test_nothing_to_complain(index):
    assert not index.check(silent=True)


def test_only_what_has_a_result_is_listed_with_what_was_measured(index):
    records = {
        path.stem: json.loads(path.read_text())['results']
        for path in (ROOT / 'docs' / 'images').glob('*.json')
    }
    expected = {
        f'{task}_{key}': sum(run['metric'] for run in runs) / len(runs)
        for task, results in records.items()
        for key, runs in results.items()
    }
    assert {model.name for model in index.models} == set(expected)
    for model in index.models:
        (result,) = model.results
        (value,) = result.metrics.values()
        assert value == pytest.approx(expected[model.name], abs=0.051), model.name
        assert (ROOT / model.config).is_file() and Path(model.config).stem == model.name
        assert model.weights is None


def test_models_are_in_collections_with_the_papers(index):
    collections = {collection.name: collection for collection in index.collections}
    for model in index.models:
        paper = collections[model.in_collection].paper
        if model.name.endswith('_tst'):
            assert paper['URL'].endswith('2212.05422')


def test_every_other_config_is_on_the_page_of_recipes():
    sections = re.split(r'^## `configs/(\w+)`$', PAGE, flags=re.MULTILINE)[1:]
    listed = set()
    for folder, text in zip(sections[::2], sections[1::2], strict=True):
        for pair, methods in re.findall(r'^\| `([^`]+)` \|(?: (.+) \|)?$', text, re.MULTILINE):
            names = re.findall(r'`([\w-]+)`', methods)
            listed |= {f'{folder}/{name}_{pair}' for name in names} or {f'{folder}/{pair}'}
    folders = ('classification', 'detection', 'segmentation', 'recipes')
    there = {
        f'{folder}/{path.stem}'
        for folder in folders
        for path in (ROOT / 'configs' / folder).glob('*.py')
    }
    assert listed == there
