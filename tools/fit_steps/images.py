"""Images to fit on: a folder of photographs, or coloured scenes from the embedded items."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from data.preparation.cutouts import Cutouts
from data.preparation.scenes import SceneComposer

#: The endings of the names of image files.
_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp')
#: The smallest side, in pixels, of a scene in which items can be placed.
_SMALLEST = 64


def folder_images(folder: Path, size: int, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Squares cut from the middle of a folder's images, in colour.

    Args:
        folder: The folder, which is searched with all folders inside.
        size: The side in pixels to which the images are scaled.
        count: The most images to take, at random.
        seed: The seed of the choice.

    Returns:
        The images to fit on, (n, 3, size, size) uint8 RGB, and a tenth as many that are held out.

    Raises:
        ValueError: The folder has fewer than 20 readable images.
    """
    paths = sorted(path for path in folder.rglob('*') if path.suffix.lower() in _SUFFIXES)
    order = np.random.default_rng(seed).permutation(len(paths))[:count]
    images = []
    for path in (paths[i] for i in order):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is not None:
            images.append(_square(image[..., ::-1], size))
    if len(images) < 20:
        raise ValueError(
            f'{folder} has {len(images)} readable images ({", ".join(_SUFFIXES)}); '
            f'allowed: 20 or more'
        )
    held = max(len(images) // 10, 2)
    return _stack(images[held:]), _stack(images[:held])


def scene_images(size: int, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Coloured scenes composed of the embedded Fashion-MNIST, whose own images are grey.

    On grey images Color would be the identity and channels could not be told apart. Of each scene
    come its quarters and the whole, so that structures have several scales; those held out are
    composed of the test split's items. See :func:`folder_images` for arguments and values.
    """
    held = max(count // 10, 5)
    return _scenes('train', size, count, seed), _scenes('test', size, held, seed)


def _scenes(split: str, size: int, count: int, seed: int) -> Tensor:
    side = max(2 * size, _SMALLEST)
    composer = SceneComposer(Cutouts(split), (side, side))
    images: list[np.ndarray] = []
    for i in range(-(-count // 5)):
        scene = composer.compose(np.random.default_rng((seed, i, split == 'test'))).image
        half = side // 2
        corners = [(y, x) for y in (0, half) for x in (0, half)]
        parts = [scene[y : y + half, x : x + half] for y, x in corners]
        images += [_square(part, size) for part in (scene, *parts)]
    return _stack(images[:count])


def _square(image: np.ndarray, size: int) -> np.ndarray:
    """Cut the largest square from the middle of an image, and scale it."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = np.ascontiguousarray(image[top : top + side, left : left + side])
    return cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)


def _stack(images: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
