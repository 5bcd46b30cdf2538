"""Between a network's input and pixel values, as the model's own preprocessor defines it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .operators.base import LUMA_RGB

#: How far, in grey values, inputs may leave 0 to 255: interpolation overshoots, tests add noise.
_SLACK = 255
#: Fractional values whose whole range is smaller than this are not grey values from 0 to 255.
_NARROW = 8


class Normalization(nn.Module):
    """Mean, standard deviation and channel order of a network's input.

    Args:
        mean: The mean of each channel, in grey values (0 to 255). Defaults to 0.
        std: The standard deviation of each channel, in grey values, positive. Defaults to 1.
        channel_order: The channel order of the normalised tensor, ``'rgb'`` (default) or
            ``'bgr'``.
    """

    mean: Tensor
    std: Tensor
    luma_rgb: Tensor
    unit_mean: Tensor
    unit_std: Tensor
    inputs_per_unit: Tensor
    input_of_black: Tensor

    def __init__(
        self,
        mean: Sequence[float] = (0.0,),
        std: Sequence[float] = (1.0,),
        channel_order: str = 'rgb',
    ) -> None:
        super().__init__()
        self.channel_order = channel_order
        self._checked = False
        # The dtype is said because configs give whole numbers too.
        for name, values in (('mean', mean), ('std', std)):
            column = torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, column, persistent=False)
        # Computed once: a new tensor waits for the device, and each quotient is a launch.
        weights = LUMA_RGB if channel_order == 'rgb' else LUMA_RGB[::-1]
        kept = {
            'luma_rgb': torch.tensor(weights).view(3, 1, 1),
            'unit_mean': self.mean / 255,
            'unit_std': self.std / 255,
            'inputs_per_unit': 255 / self.std,
            'input_of_black': -self.mean / self.std,
        }
        for name, column in kept.items():
            self.register_buffer(name, column, persistent=False)

    @classmethod
    def from_data_preprocessor(cls, preprocessor: Any) -> Normalization:
        """Read the normalisation off a data preprocessor (mmpretrain, mmdet, mmseg, MMEngine).

        Images are assumed to be loaded as OpenMMLab's pipelines do, in BGR order, before the
        preprocessor's own conversion. Means and deviations below 1 are those of images from 0
        to 1.
        """
        # The names of mmpretrain, of MMEngine with mmdet and the forked mmseg, of the older mmseg.
        names = ('to_rgb', '_channel_conversion', 'channel_conversion')
        swaps = any(getattr(preprocessor, name, False) for name in names)
        order = 'rgb' if swaps else 'bgr'
        if not getattr(preprocessor, '_enable_normalize', False):
            return cls(channel_order=order)
        mean, std = (getattr(preprocessor, key).flatten() for key in ('mean', 'std'))
        if 0 <= mean.min() <= mean.max() <= 1 and std.max() < 1:
            mean, std = mean * 255, std * 255
        return cls(mean.tolist(), std.tolist(), order)

    @property
    def identity(self) -> bool:
        """Whether images are taken as they are, whatever their range (reads values)."""
        return bool((self.mean == 0).all()) and bool((self.std == 1).all())

    def check_once(self, inputs: Tensor) -> None:
        """:meth:`check` the first batch; later calls do nothing.

        Args:
            inputs: The normalised batch, (B, C, H, W).
        """
        if not self._checked:
            self._checked = True
            self.check(inputs)

    def check(self, inputs: Tensor) -> tuple[float, float]:
        """Check that a batch has the range that this normalisation implies.

        Args:
            inputs: The normalised batch, (B, C, H, W).

        Returns:
            The least and the largest grey level.

        Raises:
            ValueError: Values lie far outside of 0 to 255, or are fractions within a few grey
                values.
        """
        pixels = inputs.float() * self.std + self.mean
        low, high = pixels.min().item(), pixels.max().item()
        fractions = (pixels - pixels.round()).abs().max().item() > 0.01
        narrow = 0 < high - low < _NARROW and fractions
        if narrow or low < -_SLACK or high > 255 + _SLACK:
            raise ValueError(
                f'images have values from {low:.3g} to {high:.3g} where grey levels of 0 to 255 '
                f'are expected by mean {_column(self.mean)} and std {_column(self.std)} of the '
                f"student's data_preprocessor: {_kind(low, high)}, which networks and augmenter "
                f'would take for other colours; allowed: mean and std given to the '
                f'data_preprocessor, in the unit of the images, instead of normalised images, '
                f'images of 0 to 1 or of 16 bits from the pipeline'
            )
        return low, high

    def to_unit(self, inputs: Tensor) -> Tensor:
        """Turn a normalised batch, (B, C, H, W), into values in [0, 1]."""
        # A launch more than addcmul, which takes three times as long on a CPU.
        return (inputs * self.unit_std).add_(self.unit_mean)

    def from_unit(self, values: Tensor, own: bool = False) -> Tensor:
        """Turn values in [0, 1], (B, C, H, W), into a normalised batch; in place where own."""
        scaled = values.mul_(self.inputs_per_unit) if own else values * self.inputs_per_unit
        return scaled.add_(self.input_of_black)

    def delta_to_input(self, delta: Tensor) -> Tensor:
        """Turn a change of values in [0, 1] into the change of the normalised input."""
        return delta * self.inputs_per_unit

    def limits(self) -> tuple[Tensor, Tensor]:
        """The normalised values of black and of white, (C, 1, 1) each."""
        return self.input_of_black, (255 - self.mean) / self.std

    def luma(self, channels: int) -> Tensor:
        """The weight of each channel in the grey value, (C, 1, 1); equal unless there are three."""
        if channels == 3:
            return self.luma_rgb
        return self.mean.new_full((channels, 1, 1), 1 / channels)

    def same_as(self, other: Normalization) -> bool:
        """Whether both give the same input from the same image (reads values on the host)."""
        return (
            self.channel_order == other.channel_order
            and self.mean.flatten().tolist() == other.mean.flatten().tolist()
            and self.std.flatten().tolist() == other.std.flatten().tolist()
        )

    def convert(self, inputs: Tensor, target: Normalization) -> Tensor:
        """Turn a batch, (B, C, H, W), from this normalisation into that of ``target``."""
        pixels = inputs * self.std + self.mean
        if inputs.shape[1] == 3 and self.channel_order != target.channel_order:
            pixels = pixels.flip(1)
        return (pixels - target.mean) / target.std


def _kind(low: float, high: float) -> str:
    """What images of a range that is none of grey levels look like."""
    if high - low < _NARROW:
        unit = low >= 0 and high <= 1
        return 'images of 0 to 1' if unit else 'images that are normalised already'
    if low < 0:
        return 'images that are not of grey levels'
    if high <= 255**2:
        return 'images of 16 bits, or grey levels where mean and std are those of 0 to 1'
    return 'images of 16 bits'


def _column(values: Tensor) -> list[float]:
    """One number for each channel, for messages."""
    return [round(value, 3) for value in values.flatten().tolist()]
