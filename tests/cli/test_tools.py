"""The command line tools as a user runs them."""

import json
import os
import pickle
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from test_engine.toy import STUDENT, toy_config

from tst_mm.registry import TRANSFORMS


def write_config(path, **changes) -> Path:
    """A config file of one epoch with validation, with changes by dotted keys."""
    config = toy_config('', {'stages': [{'begin': 0, 'iters': 2}]}, length=1)
    config.pop('work_dir')
    loader = deepcopy(config.train_dataloader)
    loader.dataset.update(split='test', indices=50, pipeline=[{'type': 'mmpretrain.PackInputs'}])
    for split in ('val', 'test'):
        config[f'{split}_dataloader'] = loader
        config[f'{split}_cfg'] = {}
        config[f'{split}_evaluator'] = {'type': 'mmpretrain.Accuracy'}
    config.merge_from_dict(changes)
    config.dump(path)
    return path


def scalars(folder) -> list[dict]:
    """All that a run has logged for plotting, in order."""
    [file] = Path(folder).glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_student_file_has_the_accuracy_of_the_run(tool, tmp_path):
    """Train with TST; evaluate the student file with a plain mmpretrain config."""
    config = write_config(tmp_path / 'tst.py')
    folder = tmp_path / 'run'
    code, _, err = tool('train.py', config, '--work-dir', folder)
    assert code == 0, err
    accuracy = [line['accuracy/top1'] for line in scalars(folder) if 'accuracy/top1' in line]
    assert (folder / 'report.html').exists()  # without asking

    plain = write_config(tmp_path / 'plain.py')
    text = Config.fromfile(plain)
    text.model, text.custom_hooks = deepcopy(STUDENT), []
    text.default_hooks.pop('student')
    text.dump(plain)
    code, _, err = tool(
        'test.py', plain, folder / 'student_epoch_1.pth', '--work-dir', tmp_path / 'plain'
    )
    assert code == 0, err
    [metrics] = (tmp_path / 'plain').glob('*/*.json')
    assert json.loads(metrics.read_text())['accuracy/top1'] == accuracy[-1]

    # The run's own config goes with the run's own checkpoint only.
    code, _, err = tool('test.py', config, folder / 'student_epoch_1.pth')
    assert code == 1 and 'a student file goes with the config of the student' in err

    # The same student from the checkpoint.
    exported = tmp_path / 'exported.pth'
    code, out, err = tool('export_student.py', folder / 'epoch_1.pth', '--out', exported)
    assert code == 0 and 'exported.pth: 38 tensors' in out, err
    written, taken = (
        torch.load(path, weights_only=True)['state_dict']
        for path in (folder / 'student_epoch_1.pth', exported)
    )
    assert written.keys() == taken.keys()
    assert all(torch.equal(written[key], taken[key]) for key in written)

    # And its policy, from the checkpoint and from the JSON file.
    policies = []
    for source in ('epoch_1.pth', 'policy.json'):
        policies.append(tmp_path / f'{source}.json')
        code, out, err = tool('export_policy.py', folder / source, '--out', policies[-1])
        assert code == 0 and 'Rotate' in out and 'degrees' in out, err
    assert policies[0].read_text() == policies[1].read_text()
    exported = json.loads(policies[0].read_text())
    assert exported.keys() == {'version', 'operators', 'augmenter', 'provenance'}
    assert exported['augmenter'] == {
        'num_ops': 2,
        'sign': 'random',
        'magnitudes': 'spread',
        'fill': [pytest.approx(72.9)],
    }
    assert all('effect_error' in entry for entry in exported['operators'])
    origin = exported['provenance']
    assert origin['config'] == 'tst.py' and origin['dataset'] == 'EmbeddedFashionMNIST'
    assert origin['student'] == origin['teacher'] == 'ImageClassifier, ResNet_CIFAR-18'
    assert (origin['seed'], origin['max_iters'], origin['stages']) == (3, 4, [[0, 2]])
    assert origin['commit'] is None or len(origin['commit']) == 40

    # With --history too; it is what LearnedAugment(schedule=True) reads.
    for source in ('epoch_1.pth', 'policy.json'):
        out = tmp_path / 'history.json'
        code, _, err = tool('export_policy.py', folder / source, '--history', '--out', out)
        assert code == 0, err
        policy = json.loads(out.read_text())
        assert policy['history'] == json.loads((folder / 'policy.json').read_text())['history']
        TRANSFORMS.build({'type': 'tst_mm.LearnedAugment', 'policy': str(out), 'schedule': True})


def test_student_file_comes_without_asking(tool, tmp_path):
    config = write_config(tmp_path / 'tst.py')
    text = Config.fromfile(config)
    text.default_hooks.pop('student')
    text.custom_hooks = []
    text.dump(config)
    code, _, err = tool('train.py', config, '--no-validate', '--work-dir', tmp_path / 'run')
    assert code == 0, err
    assert (tmp_path / 'run' / 'student_epoch_1.pth').exists()


def test_dry_run(tool, tmp_path, monkeypatch):
    config = write_config(tmp_path / 'tst.py')
    (tmp_path / 'empty').mkdir()
    monkeypatch.chdir(tmp_path / 'empty')
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path / 'empty'))
    monkeypatch.setenv('TORCHINDUCTOR_CACHE_DIR', str(tmp_path))  # torch makes it on import
    count = sum(parameter.numel() for parameter in MODELS.build(deepcopy(STUDENT)).parameters())
    code, out, err = tool('train.py', config, '--dry-run')
    assert code == 0, err
    for expected in (
        f'parameters      student {count:,}   teacher {count:,}   policy 25',
        'augmenter step',
        ' s   2 steps   ',
        'student step',
        ' s   4 steps   ',
        'peak memory',
        'training        about 0:00:',
    ):
        assert expected in out
    assert list((tmp_path / 'empty').iterdir()) == []


@pytest.mark.faults
@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['model.teacher.checkpoint=none.pth'], "teacher: no checkpoint 'none.pth'"),
        (['model.teacher.model.head.num_classes=7'], 'teacher has 7 classes, student 10'),
        (['model.augmenter.operators=[Rotat]'], "unknown operator 'Rotat'; did you mean 'Rotate'?"),
        (['custom_hooks.0.stages.0.begin=5'], 'stages[0].begin is 5 epochs, but'),
        (['custom_hooks.0.stages.0.lenght=5'], "stages[0] has no key 'lenght'"),
        (
            ['custom_hooks.0.stage=5'],
            "has no key 'stage'; did you mean 'stages'",
        ),
        (['model.student.backbone.type=mmpretrain.ResNut'], 'ResNut is not in the'),
        (['train_cfg.max_epochs=0'], 'train_cfg.max_epochs is 0; allowed: whole numbers from 1'),
        (['optim_wrapper.optimizer.type=SGDD'], "type is 'SGDD'; did you mean 'SGD'"),
        (['optim_wrapper.optimizer.lr=fast'], "lr is 'fast'; allowed: a number from 0"),
        (['train_dataloader.num_workers=-1'], 'num_workers is -1; allowed: whole numbers from 0'),
        (['train_dataloader.batchsize=8'], "'batchsize'; did you mean 'batch_size'"),
        (['custom_hooks.0.dataloader.batchsize=8'], "'batchsize'; did you mean 'batch_size'"),
        (['default_hooks.checkpoint.save_best=accuracy/top'], "did you mean 'accuracy/top1'"),
    ],
)
def test_mistakes_in_a_config(process, tmp_path, options, message):
    config = write_config(tmp_path / 'tst.py')
    code, _, err = process(
        'train.py', config, '--work-dir', tmp_path / 'run', '--cfg-options', *options
    )
    lines = [line for line in err.splitlines() if line.startswith('error: ')]
    assert code == 1 and len(lines) == 1
    assert message in lines[0]
    assert 'Traceback' not in err


@pytest.mark.faults
@pytest.mark.parametrize(
    ('name', 'arguments', 'message'),
    [
        ('train.py', ['none.py'], "no config 'none.py'"),
        ('train.py', ['{config}', '--resume', 'none.pth'], "no checkpoint 'none.pth'"),
        ('train.py', ['{config}', '--resume', '{broken}'], 'cut short; there is no other'),
        ('train.py', ['{config}', '--auto-scale-lr'], 'needs auto_scale_lr=dict(base_batch_size'),
        ('test.py', ['{config}', 'none.pth'], "no checkpoint 'none.pth'"),
        ('export_student.py', ['none.pth'], "no checkpoint 'none.pth'"),
        ('export_student.py', ['{broken}'], 'is no checkpoint, or cut short'),
        ('export_policy.py', ['{broken}'], 'is no checkpoint, or cut short'),
        ('export_policy.py', ['none.json'], "no policy file 'none.json'"),
        ('export_policy.py', ['{policy}'], 'rate of Rotate is 2; allowed: 0 to 1'),
        ('export_policy.py', ['{still}', '--history'], 'holds no history'),
    ],
)
def test_missing_and_broken_files(process, tmp_path, monkeypatch, name, arguments, message):
    files = {'config': write_config(tmp_path / 'tst.py'), 'broken': tmp_path / 'broken.pth'}
    torch.save({'state_dict': {'student.a': torch.ones(999)}}, files['broken'])
    os.truncate(files['broken'], 2000)
    for name_, rate in (('policy', 2), ('still', 1)):
        files[name_] = tmp_path / f'{name_}.json'
        entry = {'name': 'Rotate', 'rate': rate}
        files[name_].write_text(json.dumps({'version': 1, 'operators': [entry]}))
    monkeypatch.chdir(tmp_path)
    code, _, err = process(name, *(argument.format(**files) for argument in arguments))
    assert code == 1
    assert message in err.splitlines()[-1] and err.splitlines()[-1].startswith('error: ')


@pytest.mark.faults
@pytest.mark.parametrize('workers', [0, 1])
def test_an_image_that_cannot_be_read_is_named(tool, tmp_path, workers):
    for name in ('a/1.png', 'b/2.png'):
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b'no picture')
    config = write_config(tmp_path / 'tst.py')
    text = Config.fromfile(config)
    load = {'type': 'mmpretrain.LoadImageFromFile', 'color_type': 'grayscale'}
    text.train_dataloader.update(batch_size=2, num_workers=workers)
    text.train_dataloader.dataset = {
        'type': 'mmpretrain.CustomDataset',
        'data_root': str(tmp_path / 'images'),
        'pipeline': [load, {'type': 'mmpretrain.PackInputs'}],
    }
    text.dump(config)
    code, _, err = tool('train.py', config, '--work-dir', tmp_path / 'run')
    last = err.splitlines()[-1]
    assert code == 1 and last.startswith('error: cannot load sample ')
    assert 'failed to load image' in last and 'Traceback' not in last
    assert '1.png' in last or '2.png' in last


@pytest.mark.faults
def test_nothing_in_a_checkpoint_is_executed(tool, tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'executed'),)

    path = tmp_path / 'evil.pth'
    torch.save({'state_dict': {'student.a': torch.ones(1)}, 'meta': Attack()}, path)
    code, _, err = tool('export_student.py', path)
    assert code == 1 and 'holds more than weights and is not loaded' in err
    assert not (tmp_path / 'executed').exists()
    path.write_bytes(pickle.dumps(Attack()))
    assert tool('export_student.py', path)[0] == 1
    assert not (tmp_path / 'executed').exists()


@pytest.mark.faults
def test_traceback_is_in_the_log_or_on_demand(tool, tmp_path, monkeypatch):
    config = write_config(tmp_path / 'tst.py')
    arguments = [config, '--work-dir', tmp_path / 'run', '--cfg-options', 'custom_hooks.0.stage=5']
    _, _, err = tool('train.py', *arguments)
    log = err.rsplit('traceback in ', 1)[1].strip().rstrip(')')
    assert 'Traceback (most recent call last)' in Path(log).read_text()
    monkeypatch.setenv('TST_MM_TRACEBACK', '1')
    with pytest.raises(KeyError):
        tool('train.py', *arguments)


@pytest.mark.slow
@pytest.mark.distributed
def test_two_processes_without_a_gpu(root, tmp_path):
    """``dist_train.sh`` as it stands; policies and students of both processes stay together."""
    config = write_config(tmp_path / 'tst.py')
    command = [root / 'tools/dist_train.sh', config, '2', '--work-dir', tmp_path / 'run']
    # The script takes the python of the path: make it the one that tests.
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    environment = {**os.environ, 'PATH': path, 'PORT': '29571', 'CUDA_VISIBLE_DEVICES': ''}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    names = {path.name for path in (tmp_path / 'run').iterdir()}
    assert {'epoch_1.pth', 'student_epoch_1.pth', 'policy.json', 'report.html'} <= names
    policy = json.loads((tmp_path / 'run' / 'policy.json').read_text())
    assert policy['provenance']['stages'] == [[0, 2]]
    assert len(policy['history']) == 1
    measured = json.loads((tmp_path / 'run' / 'report' / 'distribution.json').read_text())
    assert measured['images'] == 32  # two batches of eight in each process
