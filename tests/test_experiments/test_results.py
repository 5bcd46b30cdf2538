"""What finished runs have logged."""

import json

import pytest

from tst_mm.experiments import read_result


def test_results_are_read_over_resumes(place):
    run = place.make('plain')
    for stamp, entries in (
        ('20260101_000001', [{'lr': 0.1, 'time': 0.1, 'step': 50}, {'acc': 0.5, 'step': 500}]),
        (
            '20260101_000002',
            [
                {'augmenter/lr': 0.1, 'step': 9999},
                {'lr': 0.1, 'time': 0.3, 'step': 1500},
                {'acc': 0.75, 'step': 1500},
            ],
        ),
    ):
        folder = run.folder / stamp / 'vis_data'
        folder.mkdir(parents=True)
        lines = '\n'.join(json.dumps(entry) for entry in entries)
        (folder / 'scalars.json').write_text(lines + '\n')
    run.log.write_text(
        'Augmenter stage 1/2 [ 50/100]  lr: 1e-2  eta: 0:00:04  time: 0.1  loss: 1\n'
        'Augmenter stage 1/2 [100/100]  lr: 1e-2  eta: 0:00:04  time: 0.2  loss: 1\n'
        'Augmenter stage 2/2 [ 60/60]  lr: 1e-2  eta: 0:00:04  time: 0.5  loss: 1\n'
    )
    result = read_result(run, 'acc', 100)
    assert (result.metric, result.step, result.steps) == (75, pytest.approx(0.2), 1500)
    assert result.stages == pytest.approx(5 + 10 + 30)
    with pytest.raises(KeyError, match="'mAP' is not in the scalars"):
        read_result(run, 'mAP', 100)
