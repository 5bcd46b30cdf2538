"""The dense demos' TST configs, shortened, and the student files that they leave behind."""

import json
import runpy

import pytest
import torch
from mmengine.config import Config

#: By task: form of the scenes, metric.
TASKS = {
    'faster_rcnn': ('coco', 'coco/bbox_mAP'),
    'pspnet': ('cityscapes', 'mIoU'),
}
STEPS = 60


@pytest.fixture(scope='module')
def scenes(root, tmp_path_factory):
    """A folder with few scenes in ``data``; a student of few steps is tested on those it saw."""
    folder = tmp_path_factory.mktemp('scenes')
    main = runpy.run_path(str(root / 'tools/data/composed_scenes.py'))['main']
    for form in ('coco', 'cityscapes'):
        out = str(folder / f'data/composed_{form}')
        main(['--format', form, '--train', '4', '--val', '1', '--out', out])
    return folder


def write_config(root, task, kind, path):
    """A demo config of few steps on the training scenes."""
    config = Config.fromfile(root / f'configs/demo/{task}_{kind}.py')
    train = config.train_dataloader.dataset
    for loader in (config.val_dataloader, config.test_dataloader):
        loader.dataset.update(
            {key: train[key] for key in ('ann_file', 'data_prefix') if key in train}
        )
    for evaluator in (config.val_evaluator, config.test_evaluator):
        if 'ann_file' in evaluator:
            evaluator.ann_file = train.data_root + train.ann_file
    train.indices = 4
    config.train_cfg.update(max_iters=STEPS, val_interval=STEPS)
    config.default_hooks.checkpoint.interval = STEPS
    for scheduler in config.param_scheduler:
        scheduler.update(begin=0, end=STEPS)
    if kind == 'tst':
        # Of the teacher's gradients and predictions only the shapes matter here.
        config.model.teacher.update(
            cfg_path=str(root / f'configs/demo/{task}_plain.py'), checkpoint='random'
        )
        config.custom_hooks[0].stages = [dict(begin=STEPS // 2, iters=2)]
    config.dump(path)
    return path


@pytest.mark.slow
@pytest.mark.configs
@pytest.mark.parametrize('task', TASKS)
def test_the_student_file_is_a_plain_model_with_the_metric_of_the_run(
    tool, root, scenes, tmp_path, monkeypatch, task
):
    form, metric = TASKS[task]
    monkeypatch.chdir(scenes)
    folder = tmp_path / 'run'
    config = write_config(root, task, 'tst', tmp_path / 'tst.py')
    code, _, err = tool('train.py', config, '--work-dir', folder)
    assert code == 0, err
    [file] = folder.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    [reached] = [line[metric] for line in lines if metric in line]
    assert reached > 0
    history = json.loads((folder / 'policy.json').read_text())['history']
    assert [entry['iter'] for entry in history] == [STEPS // 2]  # the stage has run

    student = folder / f'student_iter_{STEPS}.pth'
    plain = write_config(root, task, 'plain', tmp_path / 'plain.py')
    code, _, err = tool('test.py', plain, student, '--work-dir', tmp_path / 'plain')
    assert code == 0, err
    [metrics] = (tmp_path / 'plain').glob('*/*.json')
    assert json.loads(metrics.read_text())[metric] == reached

    # And for the library's own interface.
    if form == 'coco':
        from mmdet.apis import init_detector as init
    else:
        from mmseg.apis import init_model as init
    model = init(str(plain), str(student), device='cpu')
    assert type(model).__module__.startswith(('mmdet.', 'mmseg.'))
    state = model.state_dict()
    weights = torch.load(student, weights_only=True)['state_dict']
    assert weights.keys() == state.keys()
    assert all(torch.equal(weights[key], state[key]) for key in state)
