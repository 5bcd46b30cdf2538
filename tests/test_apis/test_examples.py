"""The example scripts, cut to a few steps."""

import runpy

import pytest

SCENES = {'detection': 'coco', 'segmentation': 'cityscapes'}


@pytest.mark.slow
@pytest.mark.parametrize('task', ['classification', *SCENES])
def test_runs(root, tmp_path, monkeypatch, capsys, task):
    monkeypatch.chdir(tmp_path)
    if task in SCENES:
        compose = runpy.run_path(str(root / 'tools/data/composed_scenes.py'))['main']
        compose(['--format', SCENES[task], '--train', '4', '--val', '2'])
        options = {
            'train_cfg.max_iters': 52,
            'train_dataloader.dataset.indices': 4,
            'train_dataloader.batch_size': 2,
        }
    else:
        options = {'train_cfg.max_epochs': 2}
    main = runpy.run_path(str(root / f'examples/{task}.py'))['main']
    result = main('random', options=options, stages=[dict(begin=1, iters=2)])
    assert result.report.is_file() and list(result.work_dir.glob('student_*.pth'))
    assert f'policy: {result.policy}' in capsys.readouterr().out


def test_every_example_is_run(root):
    assert {path.stem for path in (root / 'examples').glob('*.py')} == {'classification', *SCENES}
