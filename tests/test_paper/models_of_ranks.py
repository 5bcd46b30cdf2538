"""Tiny distillers, and one batch that is shared out among the ranks.

Norm layers and dropout evaluate: statistics of a rank's own batch, and noise, would differ from
those of one process. Images have one size, as a rank pads to the largest of its own.
"""

from __future__ import annotations

from typing import Any

import torch
from distributed.draws import take
from mmengine.config import ConfigDict
from mmengine.dist import get_rank, get_world_size
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from test_models import dense, helpers
from torch import Tensor, nn

from tst_mm.augment import Draw
from tst_mm.models.modes import _depends_on_mode

#: Images of the global batch, and their size.
COUNT, SIZE = 4, (64, 64)
#: mmdet divides losses of these heads by what a rank has, not by the mean over ranks.
OWN_FACTOR = ('retinanet', 'faster_rcnn', 'mask_rcnn')
#: Layers of class logits.
LOGITS = {
    'classifier': 'head.fc',
    'multilabel': 'head.fc',
    'retinanet': 'bbox_head.retina_cls',
    'fcos': 'bbox_head.conv_cls',
}


def build(kind: str, **augmenter: Any) -> nn.Module:
    """A distiller in training mode with its augmenter, the same on all ranks."""
    torch.manual_seed(0)
    augmenter = {'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended', **augmenter}
    if kind == 'classifier':
        model = helpers.distiller(augmenter=augmenter)
    elif kind == 'multilabel':
        loss = {'type': 'mmpretrain.CrossEntropyLoss', 'use_sigmoid': True}
        config = helpers.classifier(loss=loss, head={'type': 'mmpretrain.MultiLabelLinearClsHead'})
        teacher = {'model': config, 'checkpoint': 'random'}
        model = helpers.distiller(config, teacher, augmenter=augmenter)
    else:
        name = 'SegmentationDistiller' if kind == 'pspnet' else 'DetectionDistiller'
        model = dense.distiller(name, _dense_config(kind), augmenter=augmenter)
    for layer in model.modules():
        if _depends_on_mode(layer):
            layer.eval()
    with torch.no_grad():
        _wake(kind, model.student)
        _wake(kind, model.teacher.model)
        if kind in LOGITS:  # a new teacher is sure of nothing, so its foreground would not matter
            logits = model.teacher.model.get_submodule(LOGITS[kind])
            logits.weight.mul_(20)
            logits.bias.zero_()
    return model


def _wake(kind: str, model: nn.Module) -> None:
    """Let a new head's output depend on the image; its initial weights are too small for that."""
    if kind == 'retinanet':
        for layer in model.bbox_head.cls_convs:
            layer.conv.weight.mul_(8)


def _dense_config(kind: str) -> ConfigDict:
    """A model with a narrow backbone that samples nothing at random."""
    config = dense.segmentor() if kind == 'pspnet' else dense.detector(kind)
    config.backbone.base_channels = 16
    config.data_preprocessor.std = [58.0] * 3  # FCOS has 1, too much for norm layers that evaluate
    if kind == 'pspnet':
        config.data_preprocessor.size = SIZE
        config.decode_head.in_channels, config.auxiliary_head.in_channels = 128, 64
    else:
        config.neck.in_channels = [16, 32, 64, 128]
    if 'rpn_head' in config:  # all candidates: which are drawn would depend on the images before
        config.train_cfg.rpn.sampler.num = config.train_cfg.rcnn.sampler.num = 10**4
        config.train_cfg.rpn_proposal.update(nms_pre=64, max_per_img=16)
    return config


def batch(kind: str, boxes: bool = True) -> dict[str, list]:
    """This rank's part of the global batch.

    In detection every image has the same boxes; without ``boxes`` those of the last rank have none.
    """
    if kind == 'pspnet':
        data = dense.segmentation_data(size=SIZE, batch=COUNT)
    elif kind in ('classifier', 'multilabel'):
        data = helpers.batch(COUNT)
        for sample in data['data_samples']:
            sample.set_gt_score(torch.eye(4)[sample.gt_label.item()])
    else:
        data = dense.detection_data([SIZE] * COUNT, masks=kind == 'mask_rcnn')
        for sample in [] if boxes else data['data_samples'][COUNT // 2 :]:
            sample.gt_instances = sample.gt_instances[torch.zeros(2, dtype=torch.bool)]
    # Noise looks the same everywhere: give each image a brightness of its own.
    data['inputs'] = [image // (1 + i) for i, image in enumerate(data['inputs'])]
    return {key: values[_own_rows()] for key, values in data.items()}


def _own_rows() -> slice:
    each = COUNT // get_world_size()
    return slice(get_rank() * each, (get_rank() + 1) * each)


def replay(kind: str, model: nn.Module, seed: int = 5) -> None:
    """Let the augmenter make the same draw for an image whatever the number of ranks.

    For the kinds of ``OWN_FACTOR`` both halves of the batch get the same draws, so that both ranks
    keep equally many boxes.
    """
    augmenter = model.augmenter
    draw = augmenter.draw

    def replayed(sizes: list, relaxed: bool = False) -> Draw:
        augmenter.reseed(seed)
        images = torch.arange(COUNT) % (COUNT // 2 if kind in OWN_FACTOR else COUNT)
        return take(draw([sizes[0]] * COUNT, relaxed), images[_own_rows()])

    augmenter.draw = replayed


def wrap(model: nn.Module) -> nn.Module:
    """The model as a runner wraps it: for a GPU, and with the defaults of DDP."""
    return model if get_world_size() == 1 else MMDistributedDataParallel(model, device_ids=[0])


def optimizer(parameters: Any, lr: float) -> tuple[OptimWrapper, list[list[Tensor]]]:
    """An optimiser, and the gradients of each of its steps; a missing one is an error."""
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    sgd = torch.optim.SGD(parameters, lr, momentum=0.9)
    gradients: list[list[Tensor]] = []

    def keep(*_: Any) -> None:
        gradients.append([parameter.grad.clone() for parameter in parameters])

    sgd.register_step_pre_hook(keep)
    return OptimWrapper(sgd), gradients
