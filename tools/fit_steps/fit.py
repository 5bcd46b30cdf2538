"""Stage I: fit one encoder to one true operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from tst_mm.augment.operators import GeometricOperator, Operator
from tst_mm.paper.encoders import AffineEncoder, ColorEncoder

from .truth import LEARNED, existing, to_unit, true_images

#: The number of images that share a magnitude, since torchvision takes one for all.
_SHARED = 8


@dataclass(frozen=True)
class Settings:
    """How encoders are fitted; values are the published ones where nothing else is said.

    Attributes:
        steps: The number of the optimiser's steps for each operator. The reference makes 7,800
            (geometric) and 15,600 (colour) on CIFAR.
        batch_size: The number of images in a step, a multiple of 8. Defaults to 64.
        lr: The learning rate of AdamW. Defaults to 1e-2, ten times the published one for as many
            fewer steps.
        lr_decay: What the learning rate is multiplied by at each step. Defaults to 1; the reference
            decays it.
        terms: The number of powers of the magnitude; see the encoders. Defaults to 1, the published
            form.
        seed: The seed of the initial values, the images and the magnitudes.
    """

    steps: int
    batch_size: int = 64
    lr: float = 1e-2
    lr_decay: float = 1.0
    terms: int = 1
    seed: int = 0


def fit(
    operator: Operator,
    images: Tensor,
    settings: Settings,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> AffineEncoder | ColorEncoder:
    """Fit an encoder by the squared error to the true operator.

    The last half of the steps is averaged (the mean of the weights), which takes the noise of the
    last steps out of the result.

    Args:
        operator: The operator to imitate, with its range.
        images: The images (n, 3, H, W) uint8 to fit on.
        settings: The settings of the fit.
        report: A function that is called after each step with the number of steps made and the
            loss.
    """
    generator = torch.Generator().manual_seed(settings.seed * 100 + LEARNED.index(operator.name))
    kind = AffineEncoder if isinstance(operator, GeometricOperator) else ColorEncoder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
        encoder = kind(settings.terms)
    optimizer = torch.optim.AdamW(encoder.parameters(), settings.lr)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, settings.lr_decay)
    average = torch.optim.swa_utils.AveragedModel(encoder)
    for step in range(1, settings.steps + 1):
        batch, level, target = _batch(operator, images, settings.batch_size, generator)
        loss = F.mse_loss(imitate(encoder, batch, level), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if 2 * step > settings.steps:
            average.update_parameters(encoder)
        report(step, loss.item())
    return average.module.eval()


def imitate(encoder: AffineEncoder | ColorEncoder, images: Tensor, level: Tensor) -> Tensor:
    """Let an encoder change images in [0, 1], (n, 3, H, W), at operator levels, (n,)."""
    if isinstance(encoder, ColorEncoder):
        return encoder(images, level)
    grid = F.affine_grid(encoder(level), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, 'bilinear', 'zeros', align_corners=False)


def _batch(
    operator: Operator, images: Tensor, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw images and operator levels, and let the true operator change the images."""
    level = torch.rand(count // _SHARED, generator=generator)
    if operator.signed:
        level = level * 2 - 1
    level = existing(operator, level)
    batch = images[torch.randint(len(images), (count,), generator=generator)]
    parts = zip(batch.split(_SHARED), level.tolist(), strict=True)
    target = torch.cat([true_images(operator, part, value) for part, value in parts])
    return to_unit(batch), level.repeat_interleave(_SHARED), to_unit(target)
