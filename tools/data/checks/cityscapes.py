"""Check of a data set laid out as Cityscapes."""

from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from .findings import Findings

IMAGE_END = '_leftImg8bit.png'
LABEL_END = '_gtFine_labelTrainIds.png'
RAW_LABEL_END = '_gtFine_labelIds.png'
IGNORED = 255


def check_cityscapes(root: str | Path, num_classes: int = 19) -> Findings:
    """Check ``leftImg8bit/<split>/<city>`` against ``gtFine/<split>/<city>``.

    Args:
        root: The folder of the data set.
        num_classes: The number of classes; labels are 0 … num_classes - 1, and 255. Defaults to 19.

    Returns:
        What was found. The splits ``train`` and ``val`` are needed.
    """
    root, findings = Path(root), Findings()
    for split in ('train', 'val'):
        images = _stems(root / 'leftImg8bit' / split, IMAGE_END)
        labels = _stems(root / 'gtFine' / split, LABEL_END)
        if not images:
            findings.faults.append(f'no *{IMAGE_END} in {root / "leftImg8bit" / split}')
        if not labels:
            findings.faults.append(_no_labels(root / 'gtFine' / split))
        if not images or not labels:
            continue
        cities = {str(Path(stem).parent) for stem in images}
        findings.found.append(f'{split}: {len(images)} images, {len(cities)} cities')
        alone, idle = sorted(images - labels), sorted(labels - images)
        findings.count(findings.faults, f'images without label map in {split}', alone)
        findings.count(findings.notes, f'label maps without image in {split}', idle)
        _check_labels(root, split, sorted(images & labels), num_classes, findings)
    return findings


def _stems(folder: Path, end: str) -> set[str]:
    """The ``city/name`` of all files whose names have this end."""
    paths = folder.rglob(f'*{end}')
    return {path.relative_to(folder).as_posix().removesuffix(end) for path in paths}


def _no_labels(folder: Path) -> str:
    """The fault of a split without label maps, with the way out if there is one."""
    line = f'no *{LABEL_END} in {folder}'
    if _stems(folder, RAW_LABEL_END):
        line += f'; there are *{RAW_LABEL_END}: convert them with cityscapesscripts'
        line += ' (csCreateTrainIdLabelImgs)'
    return line


def _check_labels(
    root: Path, split: str, stems: list[str], num_classes: int, findings: Findings
) -> None:
    """Check the size and the values of the label maps."""
    other_size, unreadable, wrong = [], [], []
    pixels = np.zeros(256, np.int64)
    for stem in track(stems, f'{split}: {len(stems)} label maps'):
        try:
            with Image.open(root / 'leftImg8bit' / split / f'{stem}{IMAGE_END}') as image:
                size = image.size
            with Image.open(root / 'gtFine' / split / f'{stem}{LABEL_END}') as image:
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
