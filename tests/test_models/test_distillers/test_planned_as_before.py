"""Pairs that were distilled before there was a planner: seeded losses stay what they were.

The numbers were written before the planner came; ``cd tests; python -m
test_models.test_distillers.test_planned_as_before`` writes them anew.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from mmengine.optim import OptimWrapper

from ..dense import detection_data, detector, segmentation_data, segmentor
from ..dense import distiller as dense_distiller
from ..helpers import batch, classifier, vision_transformer
from ..helpers import distiller as classification_distiller

NUMBERS = Path(__file__).with_name('planned_as_before.json')
#: Without an augmenter, whose policy is another one than it was.
PLAIN = {'augmenter': None}


def _detection(student, teacher=None, **data):
    teacher = detector(teacher or student)
    if 'roi_head' not in teacher:
        teacher.neck.out_channels = teacher.bbox_head.in_channels = 48  # a connector that widens
    model = dense_distiller('DetectionDistiller', detector(student), teacher, **PLAIN)
    return model, detection_data(**data)


def _cascade():
    """Faster R-CNN's regions in a cascade without masks."""
    config = detector('cascade_mask_rcnn')
    for key in ('mask_head', 'mask_roi_extractor'):
        config.roi_head.pop(key)
    return dense_distiller('DetectionDistiller', config, **PLAIN), detection_data()


def _segmentation():
    model = dense_distiller('SegmentationDistiller', segmentor(), segmentor(width=48), **PLAIN)
    return model, segmentation_data()


def _classification(**options):
    torch.manual_seed(0)
    model = classification_distiller(**{**PLAIN, **options})
    model.init_weights()
    return model, batch()


def _several_labels():
    loss = {'type': 'mmpretrain.CrossEntropyLoss', 'use_sigmoid': True}
    config = classifier(loss=loss, head={'type': 'mmpretrain.MultiLabelLinearClsHead'})
    model, data = _classification(student=config, teacher={'model': config, 'checkpoint': 'random'})
    for sample in data['data_samples']:
        sample.set_gt_score(torch.tensor([1.0, 0, 1, 0]))
    return model, data


PAIRS = {
    'RetinaNet': lambda: _detection('retinanet'),
    'FCOS': lambda: _detection('fcos'),
    'GFL': lambda: _detection('gfl'),
    'Faster R-CNN': lambda: _detection('faster_rcnn'),
    'Mask R-CNN': lambda: _detection('mask_rcnn', masks=True),
    'Cascade R-CNN': _cascade,
    'Faster R-CNN from Cascade Mask R-CNN': lambda: _detection('faster_rcnn', 'cascade_mask_rcnn'),
    'PSPNet': _segmentation,
    'ResNet': _classification,
    'ResNet from ViT': lambda: _classification(
        teacher={'model': vision_transformer(), 'checkpoint': 'random'}
    ),
    'several labels': _several_labels,
}


def losses_of(name: str) -> list[dict[str, float]]:
    """Logged values of two seeded student steps."""
    model, data = PAIRS[name]()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9))
    steps = []
    for step in range(2):
        torch.manual_seed(step)
        logs = model.train_step(copy.deepcopy(data), optimizer)
        steps.append({key: float(value) for key, value in logs.items()})
    return steps


@pytest.mark.parametrize('name', PAIRS)
def test_losses_of_two_steps_are_what_they_were(name):
    for found, before in zip(losses_of(name), json.loads(NUMBERS.read_text())[name], strict=True):
        assert found == pytest.approx(before, rel=1e-3, abs=1e-5)


if __name__ == '__main__':
    NUMBERS.write_text(json.dumps({name: losses_of(name) for name in PAIRS}, indent=1) + '\n')
