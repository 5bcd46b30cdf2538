"""Check of a data set laid out as Cityscapes."""

from pathlib import Path

from .findings import Findings
from .label_maps import check_label_maps

IMAGE_END = '_leftImg8bit.png'
LABEL_END = '_gtFine_labelTrainIds.png'
RAW_LABEL_END = '_gtFine_labelIds.png'


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
        pairs = cityscapes_pairs(root, split)
        check_label_maps(split, pairs, num_classes, findings)
    return findings


def cityscapes_pairs(root: Path, split: str) -> dict[str, tuple[Path, Path]]:
    """The image and the label map of each scene of a split, by ``city/name``.

    Args:
        root: The folder of the data set.
        split: The name of the split.
    """
    images, labels = root / 'leftImg8bit' / split, root / 'gtFine' / split
    stems = sorted(_stems(images, IMAGE_END) & _stems(labels, LABEL_END))
    return {stem: (images / f'{stem}{IMAGE_END}', labels / f'{stem}{LABEL_END}') for stem in stems}


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
