"""The same augmentation with other libraries' operators, on the draws of our augmenter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as tv

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.operators import ColorOperator


class KorniaAugmenter:
    """Kornia's functions in sequence, each on the images that the draw names.

    No bookkeeping of kornia's is paid for: its functions are called directly. Gates blend as ours
    do, so gradients reach rates and magnitudes wherever kornia's functions let them through.

    Args:
        augmenter: The augmenter that gives policy, draws and normalisation.
    """

    def __init__(self, augmenter: LearnedAugmenter) -> None:
        self.augmenter = augmenter
        self.functions = _kornia_functions()

    def __call__(self, inputs: Tensor, relaxed: bool = False) -> Tensor:
        """(B, C, H, W) normalised -> the same, augmented."""
        size = tuple(inputs.shape[-2:])
        options = {'relaxed': True} if relaxed else {}
        draw = self.augmenter.draw([size] * len(inputs), **options)
        tensors = (draw.levels, draw.gates, draw.positions, draw.extents)
        levels, gates, positions, extents = (value.to(inputs.device) for value in tensors)
        normalization = self.augmenter.normalization
        mean, std = normalization.mean / 255, normalization.std / 255
        pixels = inputs * std + mean
        for i, operator in enumerate(draw.operators):
            images = draw.acted_on[i]
            if images == ():
                continue
            index = None if images is None else torch.tensor(images).to(inputs.device)
            old = pixels if index is None else pixels[index]
            level = _rows(levels[:, i], index)
            gate = _rows(gates[:, i], index)[:, None, None, None]
            if operator.name == 'Cutout':
                # Kornia has no square whose place can be given.
                places = (_rows(value, index) for value in (positions, extents))
                new = old * (1 - operator.region(level, *places, *size))
            else:
                new = self.functions[operator.name](
                    old, operator.physical(level) - operator.start, size
                )
            new = old + gate * (new - old)
            pixels = new if index is None else pixels.index_copy(0, index, new)
        return (pixels - mean) / std


def _kornia_functions() -> dict[str, Callable[[Tensor, Tensor, tuple[int, int]], Tensor]]:
    """By operator: images, physical change, size -> images."""
    from kornia import enhance
    from kornia.geometry import transform

    def pair(x: Tensor, y: Tensor) -> Tensor:
        return torch.stack((x, y), dim=1)

    return {
        'Brightness': lambda x, v, _: enhance.adjust_brightness_accumulative(x, 1 + v),
        'Color': lambda x, v, _: enhance.adjust_saturation_with_gray_subtraction(x, 1 + v),
        'Contrast': lambda x, v, _: enhance.adjust_contrast_with_mean_subtraction(x, 1 + v),
        'Sharpness': lambda x, v, _: enhance.sharpness(x.clamp(0, 1), 1 + v),
        # Whole bits, without a gradient to the magnitude.
        'Posterize': lambda x, v, _: enhance.posterize(x, (8 + v).detach().round().byte()),
        'Solarize': lambda x, v, _: enhance.solarize(x, 1 + v / 256),
        'ShearX': lambda x, v, _: transform.shear(x, pair(v, torch.zeros_like(v))),
        'ShearY': lambda x, v, _: transform.shear(x, pair(torch.zeros_like(v), v)),
        'TranslateX': lambda x, v, s: transform.translate(x, pair(v * s[1], torch.zeros_like(v))),
        'TranslateY': lambda x, v, s: transform.translate(x, pair(torch.zeros_like(v), v * s[0])),
        'Rotate': lambda x, v, _: transform.rotate(x, -v),
        'Equalize': lambda x, v, _: enhance.equalize(x.clamp(0, 1)),
        'Invert': lambda x, v, _: enhance.invert(x),
    }


class TorchvisionAugmenter:
    """Torchvision's transforms, image by image on 8-bit values, without gradients.

    Args:
        augmenter: The augmenter that gives policy and draws.
    """

    def __init__(self, augmenter: LearnedAugmenter) -> None:
        self.augmenter = augmenter

    def __call__(self, images: Tensor) -> Tensor:
        """(B, C, H, W) uint8 -> the same, augmented."""
        size = tuple(images.shape[-2:])
        draw = self.augmenter.draw([size] * len(images))
        result = []
        for b, image in enumerate(images):
            for i, operator in enumerate(draw.operators):
                on = draw.acted_on[i]
                if on is None or b in on:
                    value = operator.physical(float(draw.levels[b, i])) - operator.start
                    image = _torchvision(operator, image, value, size)
            result.append(image)
        return torch.stack(result)


def _torchvision(operator: Any, image: Tensor, value: float, size: tuple[int, int]) -> Tensor:
    name = operator.name
    if isinstance(operator, ColorOperator):
        return {
            'Brightness': lambda: tv.adjust_brightness(image, 1 + value),
            'Color': lambda: tv.adjust_saturation(image, 1 + value),
            'Contrast': lambda: tv.adjust_contrast(image, 1 + value),
            'Sharpness': lambda: tv.adjust_sharpness(image, 1 + value),
            'Posterize': lambda: tv.posterize(image, round(8 + value)),
            'Solarize': lambda: tv.solarize(image, 255 * (1 + value / 256)),
            'Equalize': lambda: tv.equalize(image),
            'Invert': lambda: tv.invert(image),
        }[name]()
    if name == 'Cutout':
        side = int(value * min(size))
        return tv.erase(image, 0, 0, side, side, torch.zeros_like(image[:, :side, :side]))
    degrees = 57.29578 * value
    angle = value if name == 'Rotate' else 0.0
    shear = [degrees * (name == 'ShearX'), degrees * (name == 'ShearY')]
    shift = [value * size[1] * (name == 'TranslateX'), value * size[0] * (name == 'TranslateY')]
    return tv.affine(image, angle, shift, 1.0, shear, tv.InterpolationMode.BILINEAR)


def _rows(tensor: Tensor, index: Tensor | None) -> Tensor:
    return tensor if index is None else tensor[index]
