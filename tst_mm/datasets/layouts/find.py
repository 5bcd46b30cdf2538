"""Which layout a folder has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tst_mm.datasets.image_folder import class_folders, pictures_in, visible

from .coco import Coco
from .images_by_class import ImagesByClass
from .label_maps import Cityscapes, TwoFolders
from .layout import Layout
from .voc import VocBoxes, VocMaps

_ALLOWED = """allowed:
  images by class           train/<class>/* and val/<class>/*, or <class>/*
  COCO                      annotations/instances_{train,val}*.json and train*/, val*/
  Pascal VOC                JPEGImages/ with Annotations/ or SegmentationClass/, ImageSets/
  Cityscapes                leftImg8bit/{train,val}/ and gtFine/{train,val}/
  images and label maps     img_dir/{train,val}/ and ann_dir/{train,val}/, classes.txt"""


def find_layout(root: str | Path, library: str | None = None) -> Layout:
    """Find out how a data set is laid out, by the names of its folders.

    Args:
        root: The folder of the data set, or the folder that holds nothing else; or a JSON file of
            COCO in its folder ``annotations``.
        library: The library that is to read it, where a folder serves several. Defaults to None,
            any.

    Returns:
        The layout. It is not checked yet: see :meth:`Layout.check`.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: The folder has no known layout, or none that the library reads.
    """
    folder = Path(root).expanduser()
    if folder.suffix == '.json' and folder.is_file():
        folder = folder.parent.parent
    if not folder.is_dir():
        raise FileNotFoundError(f'data: {str(root)!r} is not a folder (from {Path.cwd()})')
    folder = _descend(folder.resolve())
    found = [kind(folder) for kind, fits in _LAYOUTS if fits(folder)]
    if not found and any(pictures_in(folder / name) for name in class_folders(folder)):
        found = [ImagesByClass(folder)]
    if not found:
        there = ', '.join(sorted(path.name for path in visible(folder))[:8]) or 'nothing'
        raise ValueError(f'data: {folder} has no known layout; it holds {there}; {_ALLOWED}')
    for layout in found:
        if library in (None, layout.library):
            return layout
    kinds = ' and '.join(f'{layout.kind}, for {layout.library}' for layout in found)
    raise ValueError(f'data: {folder} is {kinds}; the config is of {library}')


def _has(*names: str) -> Callable[[Path], bool]:
    """Whether a folder has one of these folders in it."""
    return lambda folder: any((folder / name).is_dir() for name in names)


def _has_maps(folder: Path) -> bool:
    return (folder / 'JPEGImages').is_dir() and (folder / 'SegmentationClass').is_dir()


def _has_boxes(folder: Path) -> bool:
    return (folder / 'JPEGImages').is_dir() and (
        (folder / 'Annotations').is_dir() or not _has_maps(folder)
    )


_LAYOUTS: tuple[tuple[type[Layout], Callable[[Path], bool]], ...] = (
    (Coco, _has('annotations')),
    (Cityscapes, _has('leftImg8bit', 'gtFine')),
    (VocBoxes, _has_boxes),
    (VocMaps, _has_maps),
    (TwoFolders, _has('img_dir', 'ann_dir')),
)


def _descend(folder: Path) -> Path:
    """Skip folders that hold nothing but one folder with more than pictures in it."""
    while not any(fits(folder) for _, fits in _LAYOUTS):
        inside = visible(folder)
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].name == 'train':
            break
        if not class_folders(inside[0]):
            break
        folder = inside[0]
    return folder
