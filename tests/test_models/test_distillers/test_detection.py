"""DetectionDistiller over real mmdet detectors."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper

from ..dense import detection_data, detector, distiller


def student_optimizer(model):
    return OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9))


@pytest.mark.parametrize(
    'student, teacher, masks',
    [
        ('retinanet', 'retinanet', False),
        ('fcos', 'fcos', False),
        ('gfl', 'gfl', False),
        ('faster_rcnn', 'faster_rcnn', False),
        ('faster_rcnn', 'cascade_mask_rcnn', False),
        ('mask_rcnn', 'mask_rcnn', True),
    ],
)
def test_student_step(student, teacher, masks):
    model = distiller('DetectionDistiller', detector(student), detector(teacher))
    data = detection_data(masks=masks)
    losses = model.train_step(copy.deepcopy(data), student_optimizer(model))
    assert all(torch.isfinite(value).all() for value in losses.values())
    assert losses['loss_kd'] > 0 and losses['loss_mimic_p0'] > 0


def test_given_data_samples_are_not_modified():
    model = distiller('DetectionDistiller', detector('retinanet'), batch_mode='double')
    data = model.data_preprocessor(detection_data(), True)
    before = copy.deepcopy(data['data_samples'])
    model(data['inputs'], data['data_samples'], mode='loss')
    for old, new in zip(before, data['data_samples'], strict=True):
        assert torch.equal(old.gt_instances.bboxes, new.gt_instances.bboxes)
        assert torch.equal(old.gt_instances.labels, new.gt_instances.labels)
        assert torch.equal(old.ignored_instances.bboxes, new.ignored_instances.bboxes)
        assert old.metainfo == new.metainfo


def test_images_without_objects_are_legal():
    for name in ('retinanet', 'faster_rcnn'):
        model = distiller('DetectionDistiller', detector(name))
        losses = model.train_step(detection_data(empty=True), student_optimizer(model))
        assert torch.isfinite(losses['loss'])


def test_padding_is_never_augmented():
    model = distiller('DetectionDistiller', detector('retinanet'))
    data = model.data_preprocessor(detection_data(sizes=((64, 96), (40, 51))), True)
    seen = {}
    model.student.backbone.register_forward_pre_hook(lambda m, args: seen.update(x=args[0]))
    model(data['inputs'], data['data_samples'], mode='loss')
    augmented = seen['x'][:2]
    assert not torch.equal(augmented, data['inputs'])
    assert (augmented[1, :, 40:] == data['inputs'][1, :, 40:]).all()
    assert (augmented[1, :, :, 51:] == data['inputs'][1, :, :, 51:]).all()


def test_teacher_box_head_sees_the_students_regions():
    model = distiller('DetectionDistiller', detector('faster_rcnn'), batch_mode='double')
    regions = {}
    for who, net in (('student', model.student), ('teacher', model.teacher.model)):
        net.roi_head.bbox_roi_extractor.register_forward_pre_hook(
            lambda m, args, who=who: regions.update({who: args[1]})
        )
    model.train_step(detection_data(), student_optimizer(model))
    assert torch.equal(regions['student'], regions['teacher'])
    assert regions['teacher'][:, 0].max() == 3  # two images, augmented and clean


def test_teacher_runs_only_what_is_distilled():
    model = distiller('DetectionDistiller', detector('faster_rcnn'))
    calls = []
    for name in ('rpn_head', 'roi_head.bbox_head'):
        module = model.teacher.model.get_submodule(name)
        module.register_forward_hook(lambda m, args, out, name=name: calls.append(name))
    model.train_step(detection_data(), student_optimizer(model))
    assert calls == ['roi_head.bbox_head']


@pytest.mark.parametrize('name', ['retinanet', 'faster_rcnn', 'fcos'])
def test_distilling_a_copy_of_oneself_costs_nothing(name):
    model = distiller('DetectionDistiller', detector(name), mimic=False, augmenter=None)
    model.teacher.model.load_state_dict(model.student.state_dict())
    model.eval()  # the student's norm layers as the teacher's
    model.student.train()
    for module in model.student.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    losses = model.train_step(detection_data(), student_optimizer(model))
    assert losses['loss_kd'].abs() < 1e-5 * losses['loss']


def test_mismatched_pairs_are_named():
    with pytest.raises(ValueError, match='teacher has 5 classes, student 3'):
        distiller('DetectionDistiller', detector('retinanet'), detector('retinanet', classes=5))
    pair = detector('retinanet'), detector('faster_rcnn')
    message = 'FasterRCNN has no dense bbox_head; mimic is False; allowed: features'
    with pytest.raises(ValueError, match=message):
        distiller('DetectionDistiller', *pair, mimic=False)


def test_detectors_of_different_kinds_share_levels_of_equal_stride():
    """RetinaNet's P3 to P6 are compared with those of Faster R-CNN, whose pyramid begins at P2."""
    teacher = detector('faster_rcnn')
    teacher.neck.out_channels = teacher.rpn_head.in_channels = 48
    teacher.roi_head.bbox_roi_extractor.out_channels = teacher.roi_head.bbox_head.in_channels = 48
    model = distiller('DetectionDistiller', detector('retinanet'), teacher)
    losses = model.train_step(detection_data(), student_optimizer(model))
    compared = {key for key in losses if 'mimic' in key or 'kd' in key}
    assert compared == {f'loss_mimic_p{level}' for level in range(4)}
    mappings = model.distiller.loss_forward_mappings
    assert [m['preds_T']['data_idx'] for m in mappings.values()] == [1, 2, 3, 4]
    assert 0 < losses['loss_mimic_p0'] < 2


def test_own_losses_replace_the_default_ones():
    kd = dict(
        student_recorders=dict(fpn=dict(type='ModuleOutputs', source='neck')),
        teacher_recorders=dict(fpn=dict(type='ModuleOutputs', source='neck')),
        distill_losses=dict(loss_pkd=dict(type='PKDLoss', loss_weight=6)),
        loss_forward_mappings=dict(
            loss_pkd=dict(
                preds_S=dict(from_student=True, recorder='fpn'),
                preds_T=dict(from_student=False, recorder='fpn'),
            )
        ),
    )
    model = distiller(
        'DetectionDistiller', detector('retinanet'), detector('faster_rcnn'), distiller=kd
    )
    losses = model.train_step(detection_data(), student_optimizer(model))
    assert losses['loss_pkd'] > 0 and 'loss_kd' not in losses
    with pytest.raises(KeyError, match='neck'):
        kd['student_recorders']['fpn']['source'] = 'nek'
        distiller('DetectionDistiller', detector('retinanet'), distiller=kd)
