"""Batches as the libraries' loaders give them, of random content."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.structures import InstanceData, PixelData

Shape = tuple[int, int, int, int]


def _images(shape: Shape) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return list(torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8))


def class_batch(shape: Shape) -> dict[str, Any]:
    """Images with a class each, of ten; in one tensor, as the classifiers' loaders stack them."""
    from mmpretrain.structures import DataSample

    samples = [DataSample().set_gt_label(i % 10) for i in range(shape[0])]
    return {'inputs': torch.stack(_images(shape)), 'data_samples': samples}


def box_batch(shape: Shape, boxes: int = 10, masks: bool = False) -> dict[str, list]:
    """Images with random boxes and, if asked for, a bitmap mask for each."""
    import numpy as np
    from mmdet.structures import DetDataSample
    from mmdet.structures.mask import BitmapMasks

    generator = torch.Generator().manual_seed(0)
    height, width = shape[-2:]
    limit = torch.tensor([width, height, width, height])
    samples = []
    for _ in range(shape[0]):
        corner, side = torch.rand(2, boxes, 2, generator=generator).unbind()
        corner, side = corner * 0.7, side * 0.25 + 0.05
        found = torch.cat((corner, corner + side), 1) * limit
        sample = DetDataSample(
            metainfo={
                'img_shape': (height, width),
                'ori_shape': (height, width),
                'pad_shape': (height, width),
                'scale_factor': (1.0, 1.0),
                'img_path': 'random',
            }
        )
        labels = torch.randint(0, 80, (boxes,), generator=generator)
        sample.gt_instances = InstanceData(bboxes=found, labels=labels)
        sample.ignored_instances = InstanceData(bboxes=found[:0], labels=labels[:0])
        if masks:
            bitmaps = np.zeros((boxes, height, width), np.uint8)
            for bitmap, (x1, y1, x2, y2) in zip(bitmaps, found.int().tolist(), strict=True):
                bitmap[y1:y2, x1:x2] = 1
            sample.gt_instances.masks = BitmapMasks(bitmaps, height, width)
        samples.append(sample)
    return {'inputs': _images(shape), 'data_samples': samples}


def map_batch(shape: Shape) -> dict[str, list]:
    """Images with a map of Cityscapes' classes each."""
    from mmseg.structures import SegDataSample

    generator = torch.Generator().manual_seed(0)
    size, samples = tuple(shape[-2:]), []
    for _ in range(shape[0]):
        meta = {'img_shape': size, 'ori_shape': size, 'img_path': 'random'}
        sample = SegDataSample(metainfo=meta)
        classes = torch.randint(0, 19, (1, *size), generator=generator)
        sample.gt_sem_seg = PixelData(data=classes)
        samples.append(sample)
    return {'inputs': _images(shape), 'data_samples': samples}
