"""What ``mim`` and others read about the configs."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = {
    'cifar100': 'CIFAR-100',
    'in1k': 'ImageNet-1k',
    'coco': 'COCO',
    'cityscapes': 'Cityscapes',
}
FOLDERS = ('classification', 'detection', 'segmentation')

pytestmark = pytest.mark.configs


@pytest.fixture(scope='module')
def index():
    from modelindex.load_model_index import load

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield load('model-index.yml')


def test_nothing_to_complain(index):
    assert not index.check(silent=True)


def test_every_config_is_listed_once(index):
    listed = [model.config for model in index.models]
    there = [
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / 'configs' / folder).glob('*.py')
    ]
    assert sorted(listed) == sorted(there)
    for model in index.models:
        assert model.name == Path(model.config).stem


def test_models_are_in_collections_with_the_papers(index):
    collections = {collection.name: collection for collection in index.collections}
    for model in index.models:
        collection = collections[model.in_collection]
        (data,) = (name for part, name in DATA.items() if part in model.name.rsplit('_', 1)[1])
        assert collection.metadata.data['Training Data'] == data
        if model.name.startswith('tst'):
            assert collection.paper['URL'].endswith('2212.05422')


def test_no_number_that_was_not_measured(index):
    """``mim search`` goes through the results: a list that is empty for now."""
    for model in index.models:
        assert list(model.results) == [] and model.weights is None
