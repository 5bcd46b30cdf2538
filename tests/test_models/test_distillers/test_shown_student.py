"""Hooks of the libraries that reach into the runner's model find the student there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmdet.engine.hooks import SetEpochInfoHook, YOLOXModeSwitchHook
from mmengine.hub import get_config
from mmengine.logging import MMLogger

from ..dense import detector, distiller
from ..helpers import distiller as class_distiller


def runner(model, epoch=0):
    """What the hooks ask of a run of three epochs."""
    skipped = []
    dataset = SimpleNamespace(update_skip_type_keys=skipped.append)
    return SimpleNamespace(
        model=model,
        epoch=epoch,
        max_epochs=3,
        train_dataloader=SimpleNamespace(dataset=dataset),
        logger=MMLogger.get_instance('shown', log_level='ERROR'),
        skipped=skipped,
    )


def test_yolox_switches_the_students_head():
    """Its L1 loss is on from the last epochs on, and the teacher stays as it is."""
    config = get_config('mmdet::yolox/yolox_tiny_8xb8-300e_coco.py').model
    config['_scope_'] = 'mmdet'
    config.data_preprocessor.batch_augments = None
    config.backbone.widen_factor = 0.125
    config.neck.update(in_channels=[32, 64, 128], out_channels=32)
    config.bbox_head.update(in_channels=32, feat_channels=32, num_classes=3)
    model = distiller('DetectionDistiller', config, mimic=False, augmenter=None)
    hook = YOLOXModeSwitchHook(num_last_epochs=1)
    for epoch, on in ((0, False), (1, True)):
        run = runner(model, epoch)
        hook.before_train_epoch(run)
        assert model.student.bbox_head.use_l1 is on
        assert len(run.skipped) == on
    assert not model.teacher.model.bbox_head.use_l1


def test_the_student_is_told_the_epoch():
    model = distiller('DetectionDistiller', detector('retinanet'), augmenter=None)
    told = []
    model.student.set_epoch = told.append
    for epoch in (0, 1):
        SetEpochInfoHook().before_train_epoch(runner(model, epoch))
    assert told == [0, 1]


def test_what_a_student_lacks_its_distiller_lacks():
    model = class_distiller(augmenter=None)
    assert model.head is model.student.head
    for name in ('bbox_head', 'roi_head', 'decode_head', 'set_epoch'):
        assert not hasattr(model, name)
    with pytest.raises(AttributeError, match='set_epoch'):
        SetEpochInfoHook().before_train_epoch(runner(model))
