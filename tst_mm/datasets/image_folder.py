"""Reading a folder of pictures by class, in the manner of ImageNet or without splits."""

from collections import defaultdict
from pathlib import Path

import numpy as np

SUFFIXES = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')
HELD_OUT_NAMES = ('val', 'valid', 'validation', 'test')
Sample = tuple[str, int]  # path below the root, class index


def read_image_folder(
    root: Path, fraction: float = 0.2, seed: int = 0
) -> tuple[list[str], dict[str, list[Sample]]]:
    """Find the classes and the pictures of both splits.

    Args:
        root: The folder with ``train/<class>/*`` and ``val/<class>/*`` (or ``valid``,
            ``validation``, ``test``; a flat one with ``meta/val.txt``), or with ``<class>/*``.
        fraction: The part of each class that is held out where the folder is not split. Defaults
            to 0.2.
        seed: The seed of what is held out. Defaults to 0.

    Returns:
        The class names, sorted, and the samples of ``'train'`` and ``'val'``.

    Raises:
        ValueError: There are no classes, a class is without pictures, or a split lacks one.
    """
    train = root / 'train' if (root / 'train').is_dir() else root
    classes = class_folders(train)
    samples = _walk(root, train, classes)
    if train == root:
        return classes, hold_out(samples, fraction, seed)
    return classes, dict(train=samples, val=_find_val(root, classes))


def visible(folder: Path) -> list[Path]:
    """What is in a folder, hidden files and folders left out."""
    return [path for path in folder.iterdir() if path.name[0] != '.']


def class_folders(folder: Path) -> list[str]:
    """The names of the sub-folders, sorted."""
    return sorted(path.name for path in visible(folder) if path.is_dir())


def pictures_in(folder: Path) -> list[Path]:
    """All pictures in a folder and the folders in it, sorted."""
    return sorted(path for path in folder.rglob('*') if path.suffix.lower() in SUFFIXES)


def held_out_folder(root: Path) -> Path | None:
    """The folder of the pictures that are held out, None where there is none."""
    return next((root / name for name in HELD_OUT_NAMES if (root / name).is_dir()), None)


def hold_out(samples: list[Sample], fraction: float, seed: int) -> dict[str, list[Sample]]:
    """Take the same part of every class, at least one picture, for validation.

    The only picture of a class is for training.

    Args:
        samples: All samples.
        fraction: The part of each class that is held out.
        seed: The seed of what is held out.

    Returns:
        The samples of ``'train'`` and ``'val'``.
    """
    splits: dict[str, list[Sample]] = dict(train=[], val=[])
    random, by_label = np.random.default_rng(seed), defaultdict(list)
    for path, label in samples:
        by_label[label].append(path)
    for label, paths in sorted(by_label.items()):
        members = random.permutation(paths)
        size = min(len(members) - 1, max(1, round(fraction * len(members))))
        splits['val'] += [(str(path), label) for path in members[:size]]
        splits['train'] += [(str(path), label) for path in members[size:]]
    return splits


def _walk(root: Path, folder: Path, classes: list[str]) -> list[Sample]:
    """All pictures in the class folders of ``folder``; a class without any is an error."""
    samples = []
    for label, name in enumerate(classes):
        files = pictures_in(folder / name)
        if not files:
            raise ValueError(f'no pictures ({", ".join(SUFFIXES)}) in {folder / name}')
        samples += [(path.relative_to(root).as_posix(), label) for path in files]
    if not samples:
        raise ValueError(f'no class folders in {folder.resolve()}')
    return samples


def _find_val(root: Path, classes: list[str]) -> list[Sample]:
    """The samples held out by the one who made the data."""
    folder = held_out_folder(root)
    if folder is None:
        raise ValueError(f'{root.resolve()} has train/ but none of {", ".join(HELD_OUT_NAMES)}')
    listed = root / f'meta/{folder.name}.txt'
    if listed.is_file():
        lines = [line.rsplit(maxsplit=1) for line in listed.read_text().splitlines() if line]
        return [(f'{folder.name}/{file}', int(label)) for file, label in lines]
    missing = [found for found in classes if not (folder / found).is_dir()]
    if missing:
        raise ValueError(
            f'{folder.resolve()} has no folder for class {missing[0]!r}, and there is no '
            f'meta/{folder.name}.txt'
        )
    return _walk(root, folder, classes)
