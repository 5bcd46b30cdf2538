"""What the tests of the published form share: its augmenter, half-open draws, flipped losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from test_augment.helpers import ALWAYS, GEOMETRIC, IMAGENET_MEAN, IMAGENET_STD, NEVER
from test_models import dense
from test_models import helpers as models
from torch import Tensor, nn

from tst_mm.augment import Normalization
from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.paper import PaperAugmenter, RelaxedDraw, flipped
from tst_mm.paper.maps import compose


def recommended(*args: Any, **kwargs: Any) -> PaperAugmenter:
    """An augmenter that a gradient trains, with no peculiarity of the reference but those given."""
    return PaperAugmenter(*args, **{'preset': 'recommended', **kwargs})


def imagenet_augmenter(**kwargs: Any) -> PaperAugmenter:
    """The same, knowing the normalisation of :func:`test_augment.helpers.batch`."""
    augmenter = recommended(**kwargs)
    augmenter.normalization = Normalization(IMAGENET_MEAN, IMAGENET_STD)
    return augmenter


def with_logits(augmenter: PaperAugmenter, logit: float) -> PaperAugmenter:
    """The same augmenter with all probability logits at one value."""
    nn.init.constant_(augmenter.policy.probability_logits, logit)
    return augmenter


def forced(*names: str, **kwargs: Any) -> PaperAugmenter:
    """All operators drawn; only the named ones act."""
    augmenter = with_logits(imagenet_augmenter(num_ops=14, **kwargs), NEVER)
    with torch.no_grad():
        for name in names:
            augmenter.policy.probability_logits[DEFAULT_OPERATORS.index(name)] = ALWAYS
    return augmenter


def draw_of(
    augmenter: PaperAugmenter,
    sizes: Sequence[tuple[int, int]],
    gates: Mapping[str, float],
    levels: Mapping[str, float] | None = None,
    position: tuple[float, float] = (0.5, 0.5),
) -> RelaxedDraw:
    """A draw made by hand: the named operators act on all images, the others on none."""
    names, rows = augmenter.policy.names, len(sizes)
    gate = torch.tensor([gates.get(name, 0.0) for name in names]).expand(rows, -1)
    level = torch.tensor([(levels or {}).get(name, 1.0) for name in names]).expand(rows, -1)
    return draw_from(augmenter, sizes, gate, level, torch.tensor([position]).expand(rows, 2), gates)


def draw_from(
    augmenter: PaperAugmenter,
    sizes: Sequence[tuple[int, int]],
    gates: Tensor,
    levels: Tensor,
    positions: Tensor,
    acting: Sequence[str] | Mapping[str, float],
) -> RelaxedDraw:
    """A draw from (B, N) gates and levels, in which the ``acting`` operators act on all images."""
    extents = torch.tensor(sizes, dtype=torch.float32)
    moves = bool(set(acting) & set(GEOMETRIC))
    return RelaxedDraw(
        operators=augmenter.operators,
        gates=gates,
        magnitudes=levels.abs(),
        levels=levels,
        positions=positions,
        sizes=tuple(sizes),
        extents=extents,
        acted_on=tuple(None if name in acting else () for name in augmenter.policy.names),
        matrix=compose(augmenter.operators, gates, levels, extents),
        moved_images=tuple(range(len(sizes))) if moves else (),
    )


def distiller(*args: Any, augmenter: Mapping[str, Any] | None = None, **options: Any) -> nn.Module:
    """A ClassificationDistiller whose policy a gradient trains; in training mode."""
    config = {'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended', **(augmenter or {})}
    return models.distiller(*args, augmenter=config, **options)


def dense_distiller(*args: Any, **options: Any) -> nn.Module:
    """A distiller of a dense task whose policy a gradient trains."""
    config = {'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended'}
    return dense.distiller(*args, **{'augmenter': config, **options})


def augmenter_step(model: nn.Module, data: Any, optimizer: Any) -> dict[str, Tensor]:
    """One step of the search by gradient."""
    return model.objective.step(model, data, optimizer)


def noisy_distiller(make: Any = models.noisy_classifier, **options: Any) -> nn.Module:
    """Student and teacher have everything that draws noise or updates itself."""
    return distiller(make(), {'model': make(), 'checkpoint': 'random'}, **options)


def flip_loss(loss: nn.Module, *args: Any, **kwargs: Any) -> Tensor:
    """One call of a loss while it is flipped."""
    with flipped([loss]):
        return loss(*args, **kwargs)
