"""Colour operators in closed form: the definitions of Pillow, differentiable and batched.

Blends follow ``ImageEnhance``: ``degenerate + factor * (image - degenerate)`` with
``factor = 1 + level * limit``. Where a definition has steps, the forward pass keeps them and the
backward pass is straight-through; each class says which surrogate it uses.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from tst_mm.registry import OPERATORS

from .base import ColorOperator, ImageInfo, straight_through

#: The slack, in grey values, that keeps a value such as 127.99999 in the bin of 128.
_ROUNDING = 1e-3


class _Blend(ColorOperator):
    """A blend, ``degenerate + (1 + level * limit) * (image - degenerate)``, limited by the info.

    The physical value is what is added to the factor 1.
    """

    signed = True
    limit = 0.9
    bounds = (0.0, 1.0)

    def degenerate(self, images: Tensor, info: ImageInfo) -> Tensor:
        """The image at factor 0, broadcastable to (n, C, H, W)."""
        raise NotImplementedError

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator, as :meth:`ColorOperator.apply` describes it."""
        extreme = self.degenerate(images, info)
        return info.limited(torch.lerp(extreme, images, self.factor(level)))

    def factor(self, level: Tensor) -> Tensor:
        """The factor at an operator level, ``1 + level * limit``, in one launch."""
        return torch.rsub(level, 1, alpha=-self.limit)


@OPERATORS.register_module()
class Brightness(_Blend):
    """Scale all values; factor 0 is black."""

    pointwise = True

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator; the degenerate image is 0, so the blend is one product."""
        return info.limited(images * self.factor(level))


@OPERATORS.register_module()
class Color(_Blend):
    """Change the saturation; factor 0 is the grey image. Identity on images with one channel."""

    def degenerate(self, images: Tensor, info: ImageInfo) -> Tensor:
        """The grey images, (n, 1, H, W)."""
        return _grey(images, info.luma)


@OPERATORS.register_module()
class Grey(ColorOperator):
    """Put the grey image into all channels. Identity on images with one channel."""

    has_magnitude = False
    bounds = (1.0, 1.0)  # there is no range to set

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator, as :meth:`ColorOperator.apply` describes it."""
        return _grey(images, info.luma).expand_as(images)


@OPERATORS.register_module()
class Hue(ColorOperator):
    """Turn the colours about the grey axis; their brightness stays.

    This is the identity on images whose number of channels is not three.
    """

    signed = True
    limit = 0.1
    bounds = (0.0, 0.5)
    unit = 'of a turn'

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator: a rotation in the plane of equal brightness."""
        if images.shape[1] != 3:
            return images
        angle = level * (self.limit * 2 * math.pi)
        if info.channel_order == 'bgr':
            angle = -angle
        grey = _grey(images, info.luma)
        color = images - grey
        # The cross product with the grey axis turns by a right angle.
        turned = (color.roll(1, 1) - color.roll(-1, 1)) / math.sqrt(3)
        turned = turned - _grey(turned, info.luma)
        return info.limited(grey + torch.cos(angle) * color + torch.sin(angle) * turned)


@OPERATORS.register_module()
class Contrast(_Blend):
    """Change the distance from the mean grey value of the valid area; factor 0 is uniform grey."""

    pointwise = True

    def degenerate(self, images: Tensor, info: ImageInfo) -> Tensor:
        """The mean grey values, (n, 1, 1, 1): the grey of the means of the channels."""
        if info.mask is None:
            mean = images.mean(dim=(2, 3), keepdim=True)
        else:
            area = info.mask.sum(dim=(2, 3), keepdim=True)
            mean = (images * info.mask).sum(dim=(2, 3), keepdim=True) / area
        return _grey(mean, info.luma)


@OPERATORS.register_module()
class Sharpness(_Blend):
    """Change the distance from the image smoothed by Pillow's 3x3 kernel; border pixels stay."""

    def degenerate(self, images: Tensor, info: ImageInfo) -> Tensor:
        """The smoothed images, (n, C, H, W): [[1, 1, 1], [1, 5, 1], [1, 1, 1]] / 13."""
        if min(images.shape[-2:]) < 3:
            return images
        return _Smoothed.apply(images, info.mask)


@OPERATORS.register_module()
class Posterize(ColorOperator):
    """Keep fewer bits: round grey values down to multiples of ``2 ** (8 - bits)``.

    The number of bits is a real number; whole numbers give what Pillow gives. Backward is the
    identity in the image; in the magnitude the step size moves while the remainder's share of a
    step is held (straight-through rounding).
    """

    pointwise = True
    start = 8.0
    limit = 4.0
    bounds = (1.0, 8.0)
    unit = 'bits'

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator, as :meth:`ColorOperator.apply` describes it."""
        # 255 / 2 ** bits, as a power of two.
        steps = torch.exp2(torch.rsub(level, math.log2(255), alpha=self.start - self.limit))
        position = images * steps
        whole = (position.detach() + _ROUNDING).floor_()
        return straight_through(whole, position) / steps


@OPERATORS.register_module()
class Solarize(ColorOperator):
    """Invert values at or above a threshold, given in grey values (256 inverts nothing).

    Backward is exact in the image; in the magnitude the step at the threshold is taken as a
    logistic curve of width ``0.05``.
    """

    pointwise = True
    start = 256.0
    limit = 0.0
    bounds = (0.0, 256.0)
    unit = 'threshold'
    _width = 0.05

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator, as :meth:`ColorOperator.apply` describes it."""
        slack = _ROUNDING / 255
        start, range_ = self.start / 255 - slack, (self.start - self.limit) / 255
        least = torch.rsub(level, start, alpha=range_)
        if images.device.type == 'cpu' and not torch.is_grad_enabled():
            # The same in numbers: on a CPU bool tensors are several times as slow.
            above = torch.ge(images, least, out=torch.empty_like(images))
            return (above - images).mul_(above.mul_(2).sub_(1))
        above = images >= least
        if torch.is_grad_enabled() and level.requires_grad:
            soft = torch.sigmoid((images.detach() - (least + slack)) / self._width)
            return images + straight_through(above.to(images.dtype), soft) * (1 - 2 * images)
        return torch.where(above, 1 - images, images)


@OPERATORS.register_module()
class Equalize(ColorOperator):
    """Flatten each channel's histogram over the valid area, with Pillow's look-up table.

    Backward is the identity in the image, because the table is a step function.
    """

    pointwise = True
    has_magnitude = False
    bounds = (1.0, 1.0)  # there is no range to set

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator, as :meth:`ColorOperator.apply` describes it."""
        n, channels, height, width = images.shape
        with torch.no_grad():
            # Clamped last, so that a NaN does not become an index outside of the table.
            bins = (images * 255).round_()
            if images.device.type == 'cpu':
                bins = bins.int()  # to 64 bits by way of 32 takes half the time
            bins = bins.long().clamp_(0, 255)
            bins = bins.reshape(n * channels, -1)  # images may lie in memory in any order
            # Floating point numbers count exactly up to here, and are divided in less time.
            kind = torch.float32 if height * width < 2**24 else torch.float64
            ones = torch.ones((), dtype=kind, device=images.device).expand_as(bins)
            if info.mask is not None:
                ones = info.mask.expand(-1, channels, -1, -1).reshape_as(bins).to(kind)
            histogram = ones.new_zeros(n * channels, 256).scatter_add_(1, bins, ones)
            table = _equalize_table(histogram).to(images.dtype) / 255
            value = table.gather(1, bins).view(n, channels, height, width)
        return straight_through(value, images)


@OPERATORS.register_module()
class Invert(ColorOperator):
    """Turn the image into its negative, which no camera takes: seldom, at first."""

    pointwise = True
    rate = 0.1
    has_magnitude = False
    bounds = (1.0, 1.0)  # there is no range to set

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the operator, as :meth:`ColorOperator.apply` describes it."""
        return 1 - images


def _grey(images: Tensor, luma: Tensor) -> Tensor:
    """The weighted mean of the channels, (n, C, H, W) -> (n, 1, H, W)."""
    return (images * luma).sum(dim=1, keepdim=True)


def _equalize_table(histogram: Tensor) -> Tensor:
    """Counts, (k, 256), -> the new grey value of each old one, as ``ImageOps.equalize`` has it."""
    levels = torch.arange(256, dtype=histogram.dtype, device=histogram.device)
    below = histogram.cumsum(1) - histogram
    # The count of all but the last grey value that occurs: the most that lies below one of them.
    rest = (below * histogram.sign()).amax(1, keepdim=True)
    step = (rest / 255).floor_()
    # Half a step is added, rounded down in Pillow; the quotient's whole part is the same.
    table = below.add_(step, alpha=0.5).div_(step.clamp(min=1)).floor_().clamp_(max=255)
    return torch.where(step > 0, table, levels)


class _Smoothed(torch.autograd.Function):
    """Pillow's smoothing; its adjoint is the same smoothing, which costs a third of autograd's."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, mask: Tensor | None) -> Tensor:
        smoothed, centre = images.clone(), images[..., 1:-1, 1:-1]
        smooth, inside = _smooth(images), None
        if mask is not None:
            inside = F.avg_pool2d(mask.to(images.dtype), 3, 1) > 1 - 1e-4
            smooth = torch.where(inside, smooth, centre)
        smoothed[..., 1:-1, 1:-1] = smooth
        ctx.inside = inside
        return smoothed

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        centre = grad[..., 1:-1, 1:-1]
        spread = centre if ctx.inside is None else centre * ctx.inside
        kept = grad.clone()
        kept[..., 1:-1, 1:-1] -= spread
        return kept.add_(_smooth(F.pad(spread, (2, 2, 2, 2)))), None


def _smooth(images: Tensor) -> Tensor:
    """Weight by [[1, 1, 1], [1, 5, 1], [1, 1, 1]] / 13, (n, C, H, W) -> (n, C, H - 2, W - 2)."""
    if images.device.type != 'cpu':
        return torch.lerp(F.avg_pool2d(images, 3, 1), images[..., 1:-1, 1:-1], 4 / 13)
    # Sums of shifted images: on a CPU several times as fast as pooling or convolution.
    rows = (images[..., :-2, :] + images[..., 1:-1, :]).add_(images[..., 2:, :])
    smooth = (rows[..., :-2] + rows[..., 1:-1]).add_(rows[..., 2:])
    return smooth.add_(images[..., 1:-1, 1:-1], alpha=4).div_(13)
