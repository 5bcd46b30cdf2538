"""Encoders: tiny differentiable imitations of an operator (paper, stage I).

They are what the reference augments with. The number of values and the maps are the published
ones; ``terms`` above 1 is an addition that lets the imitation follow the magnitude more closely.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from tst_mm.augment.operators.base import LUMA_RGB


class AffineEncoder(nn.Module):
    """Imitates a geometric operator by an affine map; with one term it has 55 values.

    Args:
        terms: The highest power of the operator level that the map depends on. Defaults to 1, the
            published form, which cannot follow the cosine of a rotation.
    """

    def __init__(self, terms: int = 1) -> None:
        super().__init__()
        self.feature = nn.Parameter(torch.randn(6))
        self.linear = nn.Linear(6 + terms, 6)
        self.gate = nn.Parameter(torch.zeros(()))
        self.terms = terms
        nn.init.zeros_(self.linear.weight)
        with torch.no_grad():
            self.linear.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]))

    def forward(self, level: Tensor) -> Tensor:
        """Give the maps from destination to source, (n, 2, 3), at operator levels, (n,).

        Coordinates run from -1 to 1 over the image, as ``affine_grid`` takes them.
        """
        return self.linear(_inputs(self.feature, self.gate, level, self.terms)).view(-1, 2, 3)


class ColorEncoder(nn.Module):
    """Imitates a colour operator: a gain and a shift by the level, then a convolution.

    ``conv(gain * x + shift)`` with ``gain = scale * (sigmoid(a) - 0.5) + 1`` and ``shift =
    sigmoid(b) - 0.5``. It begins as the identity and has 281 values with one term.

    Args:
        terms: The highest power of the operator level in a and b, and the number of convolutions,
            of which the k-th is weighted by the k-th power of the level, from 0. Defaults to 1,
            the published form, whose only convolution cannot depend on the level.
    """

    luma: Tensor

    def __init__(self, terms: int = 1) -> None:
        super().__init__()
        self.feature = nn.Parameter(torch.randn(10))
        self.first = nn.Linear(10 + terms, 2, bias=False)
        self.second = nn.Linear(10 + terms, 2, bias=False)
        self.scale = nn.Parameter(torch.ones(()))
        self.gate = nn.Parameter(torch.zeros(()))
        self.kernel = nn.Parameter(torch.zeros(terms, 3, 3, 5, 5))
        self.terms = terms
        self.register_buffer('luma', torch.tensor(LUMA_RGB), persistent=False)
        nn.init.zeros_(self.first.weight)
        nn.init.zeros_(self.second.weight)
        nn.init.dirac_(self.kernel.data[0])

    def forward(
        self,
        images: Tensor,
        level: Tensor,
        mask: Tensor | None = None,
        kernel: Tensor | None = None,
    ) -> Tensor:
        """Imitate the operator; the values are not clamped.

        Args:
            images: The images, (n, C, H, W), with values in [0, 1].
            level: The operator level on each image, (n,) in [-1, 1].
            mask: The valid areas, (n, 1, H, W), True where the image is; None (default) where
                nothing is padded.
            kernel: The convolutions, (terms, C, C, 5, 5), in place of those of the encoder; see
                :meth:`kernel_for`. Defaults to None.
        """
        inputs = _inputs(self.feature, self.gate, level, self.terms)
        half = torch.sigmoid(self.first(inputs) + self.second(inputs)) - 0.5
        gain, shift = half[..., None, None, None].unbind(1)
        images = (self.scale * gain + 1) * images + shift
        if mask is not None:
            images = images * mask
        kernel = self.kernel if kernel is None else kernel
        maps = F.conv2d(images, kernel.flatten(0, 1), padding=2)
        maps = maps.unflatten(1, (self.terms, -1))
        return sum(maps[:, k] * level[:, None, None, None] ** k for k in range(self.terms))

    def kernel_for(self, channels: int, channel_order: str) -> Tensor:
        """Give the convolutions, (terms, C, C, 5, 5), for images that are not RGB.

        Images of another number of channels than three are taken as so many grey ones: each
        channel becomes the grey value of what its grey image becomes.
        """
        if channels == 3:
            return self.kernel if channel_order == 'rgb' else self.kernel.flip(1, 2)
        grey = (self.kernel * self.luma.view(3, 1, 1, 1)).sum((1, 2))
        eye = torch.eye(channels, dtype=grey.dtype, device=grey.device)
        return eye[None, :, :, None, None] * grey[:, None, None]


def _inputs(feature: Tensor, gate: Tensor, level: Tensor, terms: int) -> Tensor:
    """The feature vector and the gated powers of the levels, (n, features + terms)."""
    powers = torch.stack([level**k for k in range(1, terms + 1)], dim=-1)
    powers = torch.sigmoid(gate) * powers
    return torch.cat((feature.expand(len(level), -1), powers), dim=-1)
