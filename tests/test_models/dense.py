"""Small detectors and segmentors from the installed libraries' own configs, and data for them."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.hub import get_config
from mmengine.structures import InstanceData, PixelData

from tst_mm.registry import MODELS

DETECTORS = {
    'retinanet': 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py',
    'faster_rcnn': 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
    'fcos': 'mmdet::fcos/fcos_r50-caffe_fpn_gn-head-center-normbbox-centeronreg-giou_1x_coco.py',
    'gfl': 'mmdet::gfl/gfl_r50_fpn_1x_coco.py',
    'mask_rcnn': 'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py',
    'cascade_mask_rcnn': 'mmdet::cascade_rcnn/cascade-mask-rcnn_r50_fpn_1x_coco.py',
}
WIDTH = 32


def detector(name: str, classes: int = 3, depth: int = 18) -> ConfigDict:
    """Model dictionary of a detector with narrow neck and heads and few regions."""
    model = get_config(DETECTORS[name]).model
    model['_scope_'] = 'mmdet'
    model.backbone.depth = depth
    model.backbone.init_cfg = None
    model.neck.out_channels = WIDTH
    if depth == 18:
        model.neck.in_channels = [64, 128, 256, 512]
    if 'roi_head' not in model:
        model.bbox_head.update(in_channels=WIDTH, feat_channels=WIDTH, num_classes=classes)
        return model
    model.rpn_head.update(in_channels=WIDTH, feat_channels=WIDTH)
    heads = model.roi_head
    heads.bbox_roi_extractor.out_channels = WIDTH
    for head in heads.bbox_head if isinstance(heads.bbox_head, list) else [heads.bbox_head]:
        head.update(in_channels=WIDTH, fc_out_channels=64, num_classes=classes)
    if 'mask_head' in heads:
        heads.mask_roi_extractor.out_channels = WIDTH
        heads.mask_head.update(in_channels=WIDTH, conv_out_channels=WIDTH, num_classes=classes)
    stages = model.train_cfg.rcnn if isinstance(model.train_cfg.rcnn, list) else []
    for stage in stages or [model.train_cfg.rcnn]:
        stage.sampler.num = 32
    return model


def segmentor(classes: int = 5, width: int = 32, auxiliary: bool = True) -> ConfigDict:
    """Model dictionary of a narrow PSPNet R-18."""
    model = get_config('mmseg::pspnet/pspnet_r50-d8_4xb2-40k_cityscapes-512x1024.py').model
    model['_scope_'] = 'mmseg'
    model.pretrained = None
    model.data_preprocessor.size = (64, 96)
    model.backbone.update(depth=18, norm_cfg=dict(type='BN', requires_grad=True))
    for head, channels in ((model.decode_head, 512), (model.auxiliary_head, 256)):
        head.update(
            in_channels=channels, channels=width, num_classes=classes, norm_cfg=dict(type='BN')
        )
    if not auxiliary:
        model.auxiliary_head = None
    return model


def distiller(kind: str, student: ConfigDict, teacher: ConfigDict | None = None, **kwargs):
    """A distiller of a fresh student and a random teacher with good initial weights."""
    import mmdet.models  # noqa: F401
    import mmseg.models  # noqa: F401

    torch.manual_seed(0)
    config = dict(
        type=f'tst_mm.{kind}',
        student=student,
        teacher=dict(model=teacher or student, checkpoint='random'),
        augmenter=dict(type='tst_mm.LearnedAugmenter'),
    )
    model = MODELS.build({**config, **kwargs})
    model.init_weights()
    model.teacher.model.init_weights()
    with torch.no_grad():  # heads start so small that all networks would predict the same
        for weight in model.teacher.model.parameters():
            weight.mul_(1.2)
    return model.train()


def detection_data(sizes=((64, 96), (80, 61)), masks: bool = False, empty: bool = False) -> dict:
    """A batch as mmdet's pipelines give it: images of different sizes, two objects each."""
    from mmdet.structures import DetDataSample
    from mmdet.structures.mask import BitmapMasks

    generator = torch.Generator().manual_seed(0)
    inputs, samples = [], []
    for height, width in sizes:
        inputs.append(
            torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
        )
        boxes = torch.tensor([[6.0, 8.0, 40.0, 44.0], [20.0, 12.0, 56.0, 50.0]])
        labels = torch.tensor([0, 2])
        if empty:
            boxes, labels = boxes[:0], labels[:0]
        sample = DetDataSample(
            metainfo=dict(
                img_shape=(height, width),
                ori_shape=(height, width),
                pad_shape=(height, width),
                scale_factor=(1.0, 1.0),
                img_path='image.jpg',
            )
        )
        sample.gt_instances = InstanceData(bboxes=boxes, labels=labels)
        if masks:
            bitmaps = np.zeros((len(boxes), height, width), np.uint8)
            for bitmap, (x1, y1, x2, y2) in zip(bitmaps, boxes.int().tolist(), strict=True):
                bitmap[y1:y2, x1:x2] = 1
            sample.gt_instances.masks = BitmapMasks(bitmaps, height, width)
        sample.ignored_instances = InstanceData(
            bboxes=torch.tensor([[0.0, 0.0, 12.0, 12.0]]), labels=torch.tensor([1])
        )
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def segmentation_data(classes: int = 5, size=(64, 96), batch: int = 2) -> dict:
    """A batch as mmseg's pipelines give it, with a stripe of ignored pixels."""
    from mmseg.structures import SegDataSample

    generator = torch.Generator().manual_seed(0)
    inputs, samples = [], []
    for _ in range(batch):
        inputs.append(torch.randint(0, 256, (3, *size), generator=generator, dtype=torch.uint8))
        label_map = torch.randint(0, classes, (1, *size), generator=generator)
        label_map[:, :, :4] = 255
        sample = SegDataSample(metainfo=dict(img_shape=size, ori_shape=size, img_path='image.png'))
        sample.gt_sem_seg = PixelData(data=label_map)
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)
