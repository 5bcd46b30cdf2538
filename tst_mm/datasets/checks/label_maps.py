"""Check of label maps: one byte a pixel, the size of the image, only values that are classes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from .findings import Findings

IGNORED = 255


def check_label_maps(
    split: str, pairs: Mapping[str, tuple[Path, Path]], num_classes: int, findings: Findings
) -> None:
    """Check the size and the values of label maps.

    Args:
        split: The name of the split, for the findings.
        pairs: The image and the label map of each sample, by the name of the sample.
        num_classes: The number of classes; labels are 0 … num_classes - 1, and 255.
        findings: What is found is added here.
    """
    other_size, unreadable, wrong = [], [], []
    pixels = np.zeros(256, np.int64)
    for stem, (image_path, label_path) in track(pairs.items(), f'{split}: {len(pairs)} label maps'):
        try:
            with Image.open(image_path) as image:
                size = image.size
            with Image.open(label_path) as image:
                label_map = np.asarray(image)
        except OSError:
            unreadable.append(stem)
            continue
        if label_map.ndim != 2 or label_map.dtype != np.uint8:
            wrong.append(f'{stem}, not one byte a pixel')
            continue
        if label_map.shape != size[::-1]:
            height, width = label_map.shape
            other_size.append(f'{stem}, {width} x {height}, image {size[0]} x {size[1]}')
        counts = np.bincount(label_map.ravel(), minlength=256)
        pixels += counts
        if counts[num_classes:IGNORED].any():
            values = (np.flatnonzero(counts[num_classes:IGNORED]) + num_classes).tolist()
            wrong.append(f'{stem}, values {values}')
    if pixels.any():
        present = np.flatnonzero(pixels[:num_classes]).tolist()
        share = pixels[IGNORED] / pixels.sum()
        findings.found.append(f'{split}: classes {present}, {share:.1%} of the pixels ignored')
    findings.count(findings.faults, f'files in {split} that are no images', unreadable)
    findings.count(findings.faults, f'label maps in {split} of another size', other_size)
    findings.count(
        findings.faults,
        f'label maps in {split} with other values than 0 … {num_classes - 1} and {IGNORED}',
        wrong,
    )
