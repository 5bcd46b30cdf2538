"""Reading annotations in the format of Pascal VOC."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VocObject:
    """One annotated thing.

    Attributes:
        name: The name of the thing's class.
        box: The corners (x1, y1, x2, y2) in pixels counted from 0; x2 and y2 lie outside of the
            thing.
        difficult: Whether the thing is marked as not to be counted.
    """

    name: str
    box: tuple[float, float, float, float]
    difficult: bool


def read_voc(path: Path, height: int, width: int) -> tuple[list[VocObject], int]:
    """Read one annotation file.

    VOC counts pixels from 1 and its xmax and ymax belong to the box. Boxes are cut at the border
    of the image; those without extent, slips of the mouse that real data do hold, are dropped.

    Args:
        path: The XML file.
        height: The height of the image in pixels; what the file says of it is often wrong.
        width: The width of the image in pixels.

    Returns:
        The objects, and how many were dropped.

    Raises:
        ValueError: The file is no VOC annotation.
    """
    objects, dropped = [], 0
    try:
        for node in ElementTree.parse(path).getroot().iter('object'):
            values = [node.findtext(f'bndbox/{key}') for key in ('xmin', 'ymin', 'xmax', 'ymax')]
            x1, y1, x2, y2 = (float(value) for value in values)
            has_extent = x2 > x1 and y2 > y1
            x1, y1 = max(x1 - 1, 0.0), max(y1 - 1, 0.0)
            x2, y2 = min(x2, float(width)), min(y2, float(height))
            if not has_extent or x2 <= x1 or y2 <= y1:
                dropped += 1
                continue
            name, difficult = node.findtext('name').strip(), node.findtext('difficult', '0')
            objects.append(VocObject(name, (x1, y1, x2, y2), difficult.strip() == '1'))
    except (ElementTree.ParseError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f'{path} is not a VOC annotation: {error}') from error
    return objects, dropped
