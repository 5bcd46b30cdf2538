"""Check of a data set laid out as Pascal VOC."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.progress import track

from tst_mm.datasets.voc import read_voc

from .findings import Findings
from .label_maps import check_label_maps


def read_list(root: Path, kind: str, split: str) -> list[str]:
    """The names in ``ImageSets/<kind>/<split>.txt``; empty where there is no such file.

    Args:
        root: The folder of the data set.
        kind: ``'Main'`` for boxes, ``'Segmentation'`` for label maps.
        split: The name of the split.
    """
    path = root / 'ImageSets' / kind / f'{split}.txt'
    if not path.is_file():
        return []
    return [line.split()[0] for line in path.read_text().splitlines() if line.strip()]


def check_voc_boxes(root: str | Path) -> tuple[Findings, list[str]]:
    """Check ``Annotations/*.xml`` and ``JPEGImages`` against ``ImageSets/Main/{train,val}.txt``.

    Args:
        root: The folder of the data set.

    Returns:
        What was found, and the names of the classes, sorted.
    """
    root, findings = Path(root), Findings()
    classes: dict[str, set[str]] = {}
    for split in ('train', 'val'):
        names = _listed(root, 'Main', split, findings)
        missing = [name for name in names if not (root / f'Annotations/{name}.xml').is_file()]
        findings.count(findings.faults, f'images of {split} without Annotations/*.xml', missing)
        classes[split], boxes, dropped, bare, broken = set(), 0, 0, [], []
        for name in track(names, f'{split}: {len(names)} annotations'):
            try:
                with Image.open(root / f'JPEGImages/{name}.jpg') as image:
                    width, height = image.size
                objects, lost = read_voc(root / f'Annotations/{name}.xml', height, width)
            except FileNotFoundError:
                continue  # counted above
            except (OSError, ValueError) as error:
                broken.append(f'{name}: {error}')
                continue
            classes[split] |= {thing.name for thing in objects}
            boxes, dropped = boxes + len(objects), dropped + lost
            if not objects:
                bare.append(name)
        findings.found.append(f'{split}: {len(names)} images, {boxes} boxes')
        findings.count(findings.faults, f'files of {split} that cannot be read', broken)
        findings.count(findings.notes, f'images without boxes in {split}', bare)
        if dropped:
            findings.notes.append(f'{dropped} boxes without extent in {split}')
    names = sorted(classes['train'])
    shown = ', '.join(names[:10]) + (', …' if len(names) > 10 else '')
    findings.found.append(f'{len(names)} classes: {shown}')
    if not names:
        findings.faults.append('no boxes in train')
    other = sorted(classes['val'] - classes['train'])
    findings.count(findings.faults, 'classes in val that train has not', other)
    return findings, names


def voc_pairs(root: Path, split: str) -> dict[str, tuple[Path, Path]]:
    """The image and the label map of each sample of a split, by name.

    Args:
        root: The folder of the data set.
        split: The name of the split.
    """
    return {
        name: (root / f'JPEGImages/{name}.jpg', root / f'SegmentationClass/{name}.png')
        for name in read_list(root, 'Segmentation', split)
    }


def check_voc_maps(root: str | Path, num_classes: int) -> Findings:
    """Check ``SegmentationClass/*.png`` against ``ImageSets/Segmentation/{train,val}.txt``.

    Args:
        root: The folder of the data set.
        num_classes: The number of classes; labels are 0 … num_classes - 1, and 255.
    """
    root, findings = Path(root), Findings()
    for split in ('train', 'val'):
        names = _listed(root, 'Segmentation', split, findings)
        alone = [name for name in names if not (root / f'SegmentationClass/{name}.png').is_file()]
        findings.found.append(f'{split}: {len(names)} images')
        findings.count(findings.faults, f'images without label map in {split}', alone)
        pairs = {n: pair for n, pair in voc_pairs(root, split).items() if n not in alone}
        check_label_maps(split, pairs, num_classes, findings)
    return findings


def _listed(root: Path, kind: str, split: str, findings: Findings) -> Sequence[str]:
    """The names of a split; a missing list and missing images are faults."""
    names = read_list(root, kind, split)
    if not names:
        findings.faults.append(f'no names in {root / "ImageSets" / kind / f"{split}.txt"}')
    images = [name for name in names if not (root / f'JPEGImages/{name}.jpg').is_file()]
    findings.count(findings.faults, f'images of {split} missing in JPEGImages/', images)
    return names
