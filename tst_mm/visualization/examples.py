"""What a distiller's augmenter makes of images of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from mmengine.dataset import pseudo_collate

from .annotations import Annotations
from .image_grid import plot_images, to_pictures


@torch.no_grad()
def plot_examples(
    model: Any,
    dataset: Any,
    indices: Iterable[int],
    seed: int = 0,
    columns: int = 7,
) -> Figure:
    """Draw images as the student's preprocessor gives them, and what the augmenter makes of them.

    Boxes, instance masks and label maps are drawn on both, as the labels that the student gets.

    Args:
        model: A distiller with an augmenter.
        dataset: Data set with its pipeline, of the model's task.
        indices: Which of its images.
        seed: Of the draws.
        columns: Images in a row.

    Returns:
        The figure; see :func:`tst_mm.visualization.save_figure`.
    """
    data = model.data_preprocessor(pseudo_collate([dataset[i] for i in indices]), True)
    inputs, samples = data['inputs'], data['data_samples']
    sizes = model.valid_sizes(inputs, samples)
    model.augmenter.reseed(seed)
    images, draw = model.augmenter(inputs, sizes)
    normalization = model.augmenter.normalization
    classes = dataset.metainfo.get('classes') or ()
    return plot_images(
        to_pictures(inputs, normalization, sizes),
        to_pictures(images, normalization, sizes),
        [draw.describe(i) for i in range(len(draw))],
        _annotations(samples, sizes, classes),
        _annotations(model.move_labels(samples, draw), sizes, classes),
        columns,
    )


def _annotations(
    samples: Sequence[Any], sizes: Sequence[tuple[int, int]], classes: Sequence[str]
) -> list[Annotations]:
    """What mmdet's and mmseg's data samples hold; mmpretrain's hold nothing to draw."""
    found = []
    for sample, (height, width) in zip(samples, sizes, strict=True):
        instances = sample.get('gt_instances')
        label_map = sample.get('gt_sem_seg')
        if instances is not None:
            masks = instances.get('masks')
            if masks is not None:
                masks = masks.to_ndarray()[:, :height, :width]
            boxes = instances.bboxes
            boxes = getattr(boxes, 'tensor', boxes).cpu().numpy()
            labels = instances.labels.cpu().numpy()
            found.append(Annotations(boxes=boxes, masks=masks, labels=labels, classes=classes))
        elif label_map is not None:
            found.append(Annotations(label_map=label_map.data[0, :height, :width].cpu().numpy()))
        else:
            found.append(Annotations())
    return found
