"""``tst distill``: from two configs and a folder to a trained student."""

import json

import forked
import pytest
from mmengine.config import Config
from test_datasets.test_layouts import trees
from test_engine.toy import STUDENT, toy_config

from tst_mm.cli.app import main

#: Three channels, and images from files.
_MODEL = {
    **STUDENT,
    'data_preprocessor': {'mean': [100.0] * 3, 'std': [60.0] * 3, 'to_rgb': True},
    'backbone': {**STUDENT['backbone'], 'in_channels': 3},
}


def write_plain(path, **backbone):
    """The config file of a plain training of two epochs, on data that are not there."""
    config = toy_config('', {'stages': []}, length=2)
    for key in ('work_dir', 'custom_hooks'):
        config.pop(key)
    config.model = {**_MODEL, 'backbone': {**_MODEL['backbone'], **backbone}}
    config.data_preprocessor = config.model.pop('data_preprocessor')
    config.default_hooks.pop('student')
    pipeline = [
        {'type': 'LoadImageFromFile'},
        {'type': 'Resize', 'scale': 32},
        {'type': 'PackInputs'},
    ]
    loader = config.train_dataloader
    loader.batch_size = 6
    loader.dataset = dict(type='CustomDataset', data_root='nowhere', pipeline=pipeline)
    config.val_dataloader = loader
    config.test_dataloader = loader
    config.val_cfg = config.test_cfg = {}
    config.val_evaluator = config.test_evaluator = dict(type='Accuracy', topk=(1, 5))
    config.dump(path)
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with ``student.py``, ``teacher.py`` and ``pictures``, which is the current one."""
    write_plain(tmp_path / 'student.py')
    write_plain(tmp_path / 'teacher.py', stem_channels=8)
    trees.images_by_class(tmp_path / 'pictures')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def distill(capfd):
    """Run the command; returns its exit code, stdout and stderr."""

    def call(*arguments):
        try:
            code = main(['distill', 'student.py', '--teacher', 'teacher.py', *arguments])
        except SystemExit as exit:
            code = exit.code
        return code, *capfd.readouterr()

    return call


def test_a_folder_two_configs_and_no_weights(place, distill, monkeypatch):
    """The teacher is trained first; an edited config is kept; both configs train as they stand."""
    forked.use(monkeypatch.setattr)
    code, out, err = distill('--data', 'pictures', '--train-teacher', '--work-dir', 'run')
    assert code == 0, err
    run = place / 'run'
    assert (run / 'teacher' / 'trained.pth').resolve() == run / 'teacher' / 'epoch_2.pth'
    assert 'student: run/student_epoch_2.pth\nreport: run/report.html\n' in out
    assert (run / 'student_epoch_2.pth').is_file() and (run / 'report.html').is_file()
    assert json.loads((run / 'policy.json').read_text())['provenance']['seed'] == 0

    text = (run / 'distill.py').read_text()
    assert text.startswith('# Written by tst distill') and 'student.py' in text
    cfg = Config.fromfile(run / 'distill.py')
    assert cfg.model.student.head.num_classes == 3 and cfg.val_evaluator.topk == (1,)
    assert cfg.train_dataloader.dataset.metainfo.classes == ['apple', 'pear', 'plum']
    assert Config.fromfile(run / 'teacher.py').model.head.num_classes == 3
    # What MMEngine writes of the whole config stands beside it.
    assert Config.fromfile(run / 'distill_whole.py').model == cfg.model

    code, _, err = distill('--data', 'pictures', '--train-teacher', '--work-dir', 'run')
    assert code == 1 and 'holds a finished run' in err  # and the teacher is not trained again
    (run / 'distill.py').write_text(text.replace('seed=0', 'seed=7'))
    code, _, err = distill('--data', 'pictures', '--train-teacher', '--work-dir', 'run')
    assert code == 1 and 'error: run/distill.py is not what this command would write' in err
    assert 'seed=7' in (run / 'distill.py').read_text()
    # The student file goes with the config of the student alone.
    assert main(['test', 'run/student.py', 'run/student_epoch_2.pth', '--work-dir', 'test']) == 0
    assert main(['train', 'run/distill.py', '--work-dir', 'edited']) == 0
    policy = json.loads((place / 'edited' / 'policy.json').read_text())
    assert policy['provenance']['seed'] == 7


def test_dry_run_plain_seed_and_options(place, distill):
    options = ['--cfg-options', 'train_cfg.max_epochs=5', 'model.student.backbone.stem_channels=4']
    words = ['--data', 'pictures', '--plain', '--seed', '3', '--train-teacher', *options]
    words += ['--teacher-options', 'optim_wrapper.optimizer.lr=0.5']
    code, out, err = distill(*words, '--dry-run')
    assert code == 0, err
    assert 'the dry run takes one with random weights' in out and 'augmenter step' not in out
    assert 'student step' in out
    folder = place / 'work_dirs' / 'distill_student'
    cfg = Config.fromfile(folder / 'distill.py')
    assert 'augmenter' not in cfg.model and cfg.randomness.seed == 3
    assert cfg.train_cfg.max_epochs == 5 and cfg.optim_wrapper.optimizer.lr == 0.05
    assert Config.fromfile(folder / 'teacher.py').optim_wrapper.optimizer.lr == 0.5
    alone = Config.fromfile(folder / 'student.py')  # which the student's file goes with
    assert alone.model.backbone == cfg.model.student.backbone
    assert alone.model.backbone.stem_channels == 4 and alone.train_cfg.max_epochs == 2
    left = {path.name for path in folder.iterdir()}
    assert left == {'distill.py', 'student.py', 'teacher.py', 'lists'}
    code, out, _ = distill(*words, '--write-only')
    assert code == 0 and 'student step' not in out


@pytest.mark.faults
@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'teacher: no weights are published for teacher.py with these classes; allowed: --che'),
        (
            ['--checkpoint', 'random', '--teacher-options', 'a=1'],
            '--teacher-options has no effect without --data or --train-teacher',
        ),
        (['--checkpoint', 'none.pth'], "teacher: no checkpoint 'none.pth'"),
        (['--checkpoint', 'random', '--data', 'none'], "data: 'none' is not a folder"),
        (
            ['--checkpoint', 'random', '--data', 'boxes'],
            'boxes is COCO, for mmdet; the config is of mmpretrain',
        ),
        (
            ['--teacher', 'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py'],
            'the student is of mmpretrain, the teacher of mmdet',
        ),
        (['--teacher', 'run.py'], 'teacher needs the config of a plain training'),
    ],
)
def test_mistakes(place, distill, words, message):
    trees.coco(place / 'boxes')
    toy_config('', {'stages': []}).dump(place / 'run.py')
    code, _, err = distill(*words)
    assert code == 1 and message in err and err.count('\n') == 1
    assert not (place / 'work_dirs' / 'distill_student' / 'distill.py').exists()


def test_published_weights_serve_the_same_classes_only(tmp_path, monkeypatch, capfd):
    """Cityscapes' own classes take the library's weights; others need some of their own."""
    monkeypatch.chdir(tmp_path)
    root = trees.cityscapes(tmp_path / 'data')
    address = 'mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py'
    words = ['distill', address, '--teacher', address, '--data', str(root), '--write-only']
    assert main(words) == 0
    (config,) = tmp_path.glob('work_dirs/*/distill.py')
    assert Config.fromfile(config).model.teacher.checkpoint.startswith('https://')
    (root / 'classes.txt').write_text('\n'.join(f'class {i}' for i in range(19)))
    with pytest.raises(SystemExit):
        main(words)
    assert 'no weights are published for' in capfd.readouterr().err
