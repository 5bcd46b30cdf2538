"""Check of a folder of pictures by class."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.progress import track

from tst_mm.datasets.image_folder import class_folders, held_out_folder, pictures_in, visible

from .findings import Findings

_UNEVEN = 10  # a class with so many times the pictures of another is worth a note


def check_image_folder(root: str | Path) -> Findings:
    """Check ``train/<class>/*`` and ``val/<class>/*``, or ``<class>/*`` alone.

    Args:
        root: The folder of the data set.

    Returns:
        What was found. At least two classes are needed, and pictures in each.
    """
    root, findings = Path(root), Findings()
    train = root / 'train' if (root / 'train').is_dir() else root
    classes = class_folders(train)
    shown = ', '.join(classes[:10]) + (', …' if len(classes) > 10 else '')
    findings.found.append(f'{len(classes)} classes: {shown}')
    if len(classes) < 2:
        findings.faults.append(f'{len(classes)} class folders in {train}; needed: 2 or more')
    _check_split(train, classes, findings)
    held_out = held_out_folder(root) if train != root else None
    if train == root:
        findings.notes.append('no folder train: a part of each class is held out for validation')
    elif held_out is None:
        findings.faults.append(f'{root} has train/ but no val/, valid/, validation/ or test/')
    elif not (root / 'meta' / f'{held_out.name}.txt').is_file():
        other = [name for name in class_folders(held_out) if name not in classes]
        findings.count(findings.faults, f'classes in {held_out.name} that train has not', other)
        _check_split(held_out, classes, findings)
    return findings


def _check_split(folder: Path, classes: Sequence[str], findings: Findings) -> None:
    """Check the pictures of all classes in one folder."""
    counts, unreadable, strange = {}, [], []
    for name in track(classes, f'{folder.name}: {len(classes)} classes'):
        files = pictures_in(folder / name) if (folder / name).is_dir() else []
        counts[name] = len(files)
        known = set(files)
        if (folder / name).is_dir():
            strange += [
                f'{name}/{path.name}'
                for path in sorted((folder / name).rglob('*'))
                if path.is_file() and path not in known and path.name[0] != '.'
            ]
        for path in files:
            try:
                with Image.open(path) as image:
                    image.verify()
            except (OSError, SyntaxError, ValueError):
                unreadable.append(path.relative_to(folder).as_posix())
    empty = [name for name in classes if not counts[name]]
    loose = [path.name for path in sorted(visible(folder)) if path.is_file()]
    findings.found.append(f'{folder.name}: {sum(counts.values())} pictures')
    findings.count(findings.faults, f'classes without pictures in {folder.name}', empty)
    findings.count(findings.faults, f'files in {folder.name} that are no images', unreadable)
    findings.count(findings.notes, f'files in {folder.name} that are not read', strange + loose)
    if counts and min(counts.values()) and max(counts.values()) > _UNEVEN * min(counts.values()):
        few, many = min(counts, key=counts.get), max(counts, key=counts.get)
        findings.notes.append(
            f'{folder.name} is uneven: {counts[many]} pictures of {many}, {counts[few]} of {few}'
        )
