"""Check of a data set in COCO's format."""

import json
from collections import Counter
from pathlib import Path

from PIL import Image
from rich.progress import track

from .findings import Findings

PREFIX = 'instances_'
_TOLERANCE = 1.0  # pixels; COCO's own boxes are rounded


def check_coco(root: str | Path) -> Findings:
    """Check ``annotations/instances_<split>.json`` and the images in ``<split>/``.

    Args:
        root: The folder of the data set.

    Returns:
        What was found. A training and a validation split are needed.
    """
    root, findings = Path(root), Findings()
    files = sorted((root / 'annotations').glob(f'{PREFIX}*.json'))
    for wanted in ('train', 'val'):
        if not any(path.stem.startswith(PREFIX + wanted) for path in files):
            findings.faults.append(f'no annotations/{PREFIX}{wanted}*.json in {root}')
    names = {}
    for path in files:
        content = _load(path, findings)
        if content:
            names[path.name] = _check_split(root, path, content, findings)
    if len(set(names.values())) > 1:
        findings.faults.append(f'the splits have different classes: {names}')
    return findings


def _load(path: Path, findings: Findings) -> dict | None:
    """The content of an annotation file, None if it is not one."""
    try:
        content = json.loads(path.read_text())
        for key, needed in (
            ('images', ('id', 'file_name', 'height', 'width')),
            ('annotations', ('id', 'image_id', 'category_id', 'bbox')),
            ('categories', ('id', 'name')),
        ):
            for item in content[key]:
                if missing := [name for name in needed if name not in item]:
                    raise ValueError(f'an item of {key!r} has no {missing[0]!r}')
    except (ValueError, KeyError, TypeError, OSError) as error:
        reason = f'no {error}' if isinstance(error, KeyError) else error
        findings.faults.append(f'{path.name} is not a COCO file: {reason}')
        return None
    return content


def _check_split(root: Path, path: Path, content: dict, findings: Findings) -> tuple[str, ...]:
    """Check one annotation file; returns its class names."""
    split = path.stem.removeprefix(PREFIX)
    names = tuple(item['name'] for item in content['categories'])
    crowds = sum(bool(item.get('iscrowd')) for item in content['annotations'])
    masks = sum(bool(item.get('segmentation')) for item in content['annotations'])
    findings.found.append(
        f'{path.name}: {len(content["images"])} images, {len(content["annotations"])} annotations '
        f'({masks} with mask, {crowds} crowds), {len(names)} classes'
    )
    shown = ', '.join(names[:10]) + (', …' if len(names) > 10 else '')
    findings.found.append(f'{path.name}: classes {shown}')
    if len(set(names)) < len(names) or not names:
        findings.faults.append(f'{path.name}: class names are missing or not distinct')
    _check_annotations(path.name, content, findings)
    _check_images(root / split, path.name, content['images'], findings)
    return names


def _check_annotations(name: str, content: dict, findings: Findings) -> None:
    """Check ids and boxes."""
    images = {item['id']: item for item in content['images']}
    labels = {item['id'] for item in content['categories']}
    ids = Counter(item['id'] for item in content['annotations'])
    strays, unknown, empty, outside, partly = [], [], [], [], []
    for item in content['annotations']:
        case = f'annotation {item["id"]}'
        if item['category_id'] not in labels:
            unknown.append(f'{case}, category {item["category_id"]}')
        image = images.get(item['image_id'])
        if image is None:
            strays.append(f'{case}, image {item["image_id"]}')
            continue
        x, y, w, h = item['bbox']
        case = f'{case} in {image["file_name"]}, bbox {item["bbox"]}'
        if w <= 0 or h <= 0:
            empty.append(case)
        elif x >= image['width'] or y >= image['height'] or x + w <= 0 or y + h <= 0:
            outside.append(case)
        elif (
            min(x, y) < -_TOLERANCE
            or x + w > image['width'] + _TOLERANCE
            or y + h > image['height'] + _TOLERANCE
        ):
            partly.append(case)
    used = {item['image_id'] for item in content['annotations']}
    bare = [item['file_name'] for item in content['images'] if item['id'] not in used]
    repeated = [f'id {key}' for key, times in ids.items() if times > 1]
    findings.count(findings.faults, f'annotations of unknown images in {name}', strays)
    findings.count(findings.faults, f'annotations of unknown classes in {name}', unknown)
    findings.count(findings.faults, f'annotation ids used twice in {name}', repeated)
    findings.count(findings.faults, f'boxes wholly outside their image in {name}', outside)
    findings.count(findings.notes, f'boxes partly outside their image in {name}', partly)
    findings.count(findings.notes, f'boxes without area in {name} (mmdet drops them)', empty)
    findings.count(findings.notes, f'images without annotation in {name}', bare)


def _check_images(folder: Path, name: str, images: list[dict], findings: Findings) -> None:
    """Check that all images are there, readable and of the size announced."""
    if not folder.is_dir():
        findings.faults.append(f'no folder {folder.name}/ with the images of {name}')
        return
    missing, unreadable, other_size = [], [], []
    for item in track(images, f'{folder.name}: {len(images)} images'):
        path = folder / item['file_name']
        if not path.is_file():
            missing.append(item['file_name'])
            continue
        try:
            with Image.open(path) as image:
                size = image.size
        except OSError:
            unreadable.append(item['file_name'])
            continue
        if size != (item['width'], item['height']):
            said = f'{item["width"]} x {item["height"]}'
            other_size.append(f'{item["file_name"]}, {size[0]} x {size[1]}, said to be {said}')
    listed = {item['file_name'] for item in images}
    extra = [path.name for path in sorted(folder.iterdir()) if path.name not in listed]
    findings.count(findings.faults, f'images of {name} missing in {folder.name}/', missing)
    findings.count(findings.faults, f'files in {folder.name}/ that are no images', unreadable)
    findings.count(findings.faults, f'images in {folder.name}/ of another size', other_size)
    findings.count(findings.notes, f'files in {folder.name}/ that {name} does not list', extra)
