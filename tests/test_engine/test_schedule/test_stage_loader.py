"""The loader of the stages: the student's, but for what a config says."""

from tst_mm.engine.schedule.stage_loader import build_stage_loader


def ready(make_runner):
    runner = make_runner('run', {'stages': []})
    runner.train_loop  # noqa: B018  (builds the student's loader)
    return runner


def test_by_default_it_is_the_students_with_its_data(make_runner):
    runner = ready(make_runner)
    loader, _ = build_stage_loader(runner)
    assert len(loader) == len(runner.train_dataloader) == 4
    assert len(next(iter(loader))['inputs']) == 8


def test_a_key_changes_and_the_others_stay(make_runner):
    loader, _ = build_stage_loader(ready(make_runner), {'batch_size': 2})
    batch = next(iter(loader))
    assert len(loader) == 16  # of the same 32 images
    assert batch['inputs'].shape == (2, 1, 28, 28)  # collated as the student's


def test_other_data_comes_with_a_data_set(make_runner):
    dataset = {
        'type': 'tst_mm.EmbeddedFashionMNIST',
        'split': 'test',
        'indices': 16,
        'pipeline': [{'type': 'mmpretrain.PackInputs'}],
    }
    loader, _ = build_stage_loader(ready(make_runner), {'dataset': dataset})
    assert len(loader) == 2
