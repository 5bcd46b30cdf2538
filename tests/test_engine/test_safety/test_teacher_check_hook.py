"""The teacher's metric before training."""

from types import SimpleNamespace

import pytest
import torch
from test_configs.tiny_data import write_coco

from tst_mm.engine.safety import TeacherCheckHook

from .test_exact_resume_hook import validation

NO_STAGES = {'stages': []}


def train(make_runner, hook, **changes):
    runner = make_runner('run', NO_STAGES, length=1, log_level='INFO', **changes)
    runner.register_hook(hook)
    runner.train()
    return runner


def test_tells_both_metrics_and_changes_nothing(make_runner, caplog):
    without = make_runner('run', NO_STAGES, length=1, **validation())
    without.train()
    runner = make_runner('run', NO_STAGES, length=1, log_level='INFO', **validation())
    runner.logger.addHandler(caplog.handler)
    runner.register_hook(TeacherCheckHook())
    runner.train()
    [line] = [m for m in caplog.messages if m.startswith('Teacher check on all batches')]
    teacher, student = (float(part.split()[-1]) for part in line.split('top1: ')[1].split(', '))
    model = runner.model.teacher.model
    hits = total = 0
    for batch in runner.val_loop.dataloader:
        for sample in model.val_step(batch):
            hits += int(sample.pred_label == sample.gt_label)
            total += 1
    assert teacher == 100 * hits / total and total == 16
    assert 0 <= student <= 100
    after = runner.model.state_dict()
    assert all(torch.equal(after[k], v) for k, v in without.model.state_dict().items())
    assert not model.training


def test_a_part_of_the_images(make_runner, caplog):
    runner = make_runner('run', NO_STAGES, length=1, log_level='INFO', **validation())
    runner.logger.addHandler(caplog.handler)
    runner.register_hook(TeacherCheckHook(num_batches=1))
    seen = []
    original = runner.val_loop.evaluator.evaluate
    runner.val_loop.evaluator.evaluate = lambda size: (seen.append(size), original(size))[1]
    runner.train()
    assert seen == [8, 8, 16]
    assert 'Teacher check on 1 batches' in caplog.text


@pytest.mark.faults
def test_a_broken_teacher_stops_the_run(make_runner):
    message = r'the teacher reaches accuracy/top1 .*; allowed: at least 101 \(min_metric\)'
    with pytest.raises(ValueError, match=message):
        train(make_runner, TeacherCheckHook(min_metric={'accuracy/top1': 101}), **validation())


@pytest.mark.faults
def test_an_unknown_metric(make_runner):
    with pytest.raises(KeyError, match="'accuracy/top2'; did you mean 'accuracy/top1'"):
        train(make_runner, TeacherCheckHook(min_metric={'accuracy/top2': 1}), **validation())


@pytest.mark.parametrize(
    ('teacher', 'student', 'words'),
    [
        ({'mAP': 0.4}, {}, 'mAP: teacher 0.4, student none'),
        ({}, {'mAP': 0.1}, 'mAP: teacher none, student 0.1'),
        ({}, {}, 'Neither teacher nor student finds anything'),
    ],
)
def test_who_finds_nothing_has_no_metric(make_runner, monkeypatch, caplog, teacher, student, words):
    found = iter([teacher, student])
    monkeypatch.setattr(TeacherCheckHook, '_validate', lambda *_: next(found))
    runner = make_runner('run', NO_STAGES, length=1, log_level='INFO', **validation())
    runner.logger.addHandler(caplog.handler)
    runner.register_hook(TeacherCheckHook())
    runner.train()
    assert words in caplog.text
    assert runner.iter == 4


def test_a_teacher_that_finds_nothing_is_not_good_enough(make_runner, monkeypatch):
    monkeypatch.setattr(TeacherCheckHook, '_validate', lambda *_: {})
    with pytest.raises(ValueError, match='the teacher reaches mAP None; allowed: at least 0.3'):
        train(make_runner, TeacherCheckHook(min_metric={'mAP': 0.3}), **validation())


@pytest.mark.faults
def test_mistakes(make_runner):
    with pytest.raises(ValueError, match='num_batches is 0'):
        TeacherCheckHook(num_batches=0)
    with pytest.raises(ValueError, match='the run has no validation'):
        train(make_runner, TeacherCheckHook())


def test_a_resumed_run_is_not_checked_again(make_runner, caplog):
    train(make_runner, TeacherCheckHook(), **validation())
    runner = make_runner('run', NO_STAGES, length=2, resume=True, log_level='INFO', **validation())
    runner.logger.addHandler(caplog.handler)
    runner.register_hook(TeacherCheckHook())
    runner.train()
    assert 'Teacher check' not in caplog.text


class Perfect(torch.nn.Module):
    """A detector that knows the truth of the images it is shown."""

    def val_step(self, data):
        from mmengine.structures import InstanceData

        for sample in data['data_samples']:
            truth = sample.gt_instances
            scores = torch.ones(len(truth))
            sample.pred_instances = InstanceData(
                bboxes=truth.bboxes.tensor, labels=truth.labels, scores=scores
            )
        return data['data_samples']


@pytest.mark.parametrize('num_batches', [None, 2])
def test_images_not_looked_at_do_not_count_as_missed(tmp_path, num_batches):
    from mmdet.datasets import CocoDataset
    from mmdet.evaluation import CocoMetric
    from mmengine.dataset import pseudo_collate
    from mmengine.evaluator import Evaluator

    write_coco(tmp_path, count=5)
    annotations = str(tmp_path / 'annotations/instances_train2017.json')
    load = [
        {'type': 'mmdet.LoadImageFromFile'},
        {'type': 'mmdet.LoadAnnotations', 'with_bbox': True},
        {'type': 'mmdet.PackDetInputs'},
    ]
    names = {'classes': ('person', 'bicycle', 'car')}
    prefix = {'img': str(tmp_path / 'train2017')}
    dataset = CocoDataset(
        ann_file=annotations, data_prefix=prefix, metainfo=names, pipeline=load, test_mode=True
    )
    metric = CocoMetric(ann_file=annotations, metric='bbox')
    metric.dataset_meta = dataset.metainfo
    loader = torch.utils.data.DataLoader(dataset, batch_size=1, collate_fn=pseudo_collate)
    loop = SimpleNamespace(dataloader=loader, evaluator=Evaluator([metric]))
    hook = TeacherCheckHook(num_batches=num_batches)
    found = hook._validate(SimpleNamespace(val_loop=loop), Perfect())
    assert found['coco/bbox_mAP'] == 1.0
    assert (metric.img_ids is None) == (num_batches is not None)
