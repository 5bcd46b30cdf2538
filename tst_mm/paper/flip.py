"""Flipped losses: small where a network is wrong, large where it is right (paper, section 3).

The flip of ``-log p`` is ``-log(1 - p)``. Where a loss is a likelihood of logits, the loss module
itself is run on *flipped logits*, so that its weights, its averaging, its label smoothing and its
handling of ignored targets stay exactly as they are:

- sigmoid (BCE): negated logits, since ``sigmoid(-z) = 1 - sigmoid(z)``;
- softmax (CE, label smoothing): ``log(1 - p + 1e-8)`` of all classes as logits, minus what this
  adds, ``log(C - 1)`` with the same weights. Soft labels thus take the expectation.

Focal losses are flipped term by term, positives ``-alpha p^gamma log(1 - p)`` and negatives
``-(1 - alpha) (1 - p)^gamma log p``, with the same averaging factor. Their negatives, though, are
hundreds of thousands of anchors that the unflipped loss hardly counts and the flipped one would
count fully; so all negatives together weigh as much as the positives (each rank balances its own
batch). The reference averages over anchors and classes, which gives positives hardly any weight.

Box losses become ``-log(1 - exp(-l) / 2)`` of each element, then the same weights: near a perfect
box this is the negated loss (slope -1, as the reference), and it stays within [0, log 2].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tst_mm.models.objectives.confidence import FOCAL_LOSSES, is_sigmoid
from tst_mm.utils import closest

_EPSILON = 1e-8

#: Losses on logits, which are softmax unless the module says ``use_sigmoid`` or ``use_mask``.
LOGIT_LOSSES = {'CrossEntropyLoss', 'LabelSmoothLoss', 'DistributionFocalLoss'}
#: Losses of boxes that are element-wise and not negative.
BOX_LOSSES = {
    'L1Loss',
    'SmoothL1Loss',
    'BalancedL1Loss',
    'MSELoss',
    'IoULoss',
    'BoundedIoULoss',
    'GIoULoss',
    'DIoULoss',
    'CIoULoss',
    'EIoULoss',
    'SIoULoss',
}


def flip_box_loss(loss: Tensor) -> Tensor:
    """Compute ``-log(1 - exp(-l) / 2)``, in [0, log 2], of losses l >= 0 of any shape."""
    return -torch.log1p(-torch.exp(-loss) / 2)


def flip_softmax_logits(logits: Tensor, dim: int = 1) -> Tensor:
    """Compute ``log(1 - p + 1e-8)`` of all classes: logits whose softmax is in proportion to 1 - p.

    The result has the same shape and is at least float32. It is finite and exact for any logits,
    with finite gradients: where p rounds to 1, ``1 - p`` is taken from the other classes.
    """
    return _LogRest.apply(logits if logits.dtype == torch.float64 else logits.float(), dim)


class _LogRest(torch.autograd.Function):
    """Computes ``log(1 - p + 1e-8)`` and its gradient, and keeps two tensors of the logits' size.

    Autograd would keep eight tensors, which on label maps is more than a small network keeps.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, dim: int) -> Tensor:
        p = logits.log_softmax(dim)
        top = p.argmax(dim, keepdim=True)
        others = p.scatter(dim, top, -math.inf).logsumexp(dim, keepdim=True)
        p = p.exp_()
        rest = p.neg().log1p_().scatter_(dim, top, others)
        torch.logaddexp(rest, rest.new_full((), math.log(_EPSILON)), out=rest)
        ctx.save_for_backward(p, rest, top, others)
        ctx.dim = dim
        return rest

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        p, rest, top, others = ctx.saved_tensors
        dim = ctx.dim
        # -d log(rest_j) / d z_k = a_j (1[j = k] - p_k) with a_j = p_j / rest_j.
        a = rest.neg().exp_().mul_(p).mul_(grad)
        a_top, p_top = a.gather(dim, top), p.gather(dim, top)
        a_others = a.scatter_(dim, top, 0).sum(dim, keepdim=True)
        result = (p * (a_others + a_top)).sub_(a)
        # Where p is nearly 1 the two terms would cancel, so 1 - p is taken from the other classes.
        return result.scatter_(dim, top, p_top * a_others - a_top * others.exp()), None


def find_losses(what: str, model: nn.Module) -> dict[str, nn.Module]:
    """Find the loss modules of a model, by their dotted names.

    Raises:
        TypeError: A loss cannot be flipped, or there is none; the error names what can be.
        ValueError: A focal loss takes probabilities.
    """
    losses: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        kind = type(module).__name__
        if any(name.startswith(f'{outer}.') for outer in losses):
            continue  # it is inside of a loss that is known as a whole
        if kind in _FLIPS:
            if kind in FOCAL_LOSSES:
                _refuse_probabilities(module, f'{what}: loss {name!r}, ')
            losses[name] = module
        elif kind.endswith('Loss'):
            raise _no_flip(what, name, kind)
    if not losses:
        raise TypeError(
            f'{what}: {type(model).__name__} has no loss module; '
            f'allowed: models whose losses are {", ".join(sorted(_FLIPS))}'
        )
    return losses


def check_losses(what: str, model: nn.Module) -> None:
    """Refuse a model with a loss by its place, whatever its class is called, that is not flipped.

    Raises:
        TypeError: There is one.
    """
    known = find_losses(what, model)
    for name, module in model.named_modules():
        inside = any(name == outer or name.startswith(f'{outer}.') for outer in known)
        if not inside and _stands_for_a_loss(name, module):
            raise _no_flip(what, name, type(module).__name__)


def _no_flip(what: str, name: str, kind: str) -> TypeError:
    return TypeError(
        f'{what}: loss {name!r} is a {kind}, which has no flipped form; '
        f'{closest(kind, sorted(_FLIPS))}; add one with tst_mm.paper.flip.register_flip'
    )


def _stands_for_a_loss(name: str, module: nn.Module) -> bool:
    """Whether a module is a loss by its place, whatever its class is called."""
    place = [part for part in name.split('.') if not part.isdigit()]
    containers = (nn.ModuleList, nn.ModuleDict, nn.Sequential)
    return bool(place) and place[-1].startswith('loss') and not isinstance(module, containers)


def _refuse_probabilities(loss: nn.Module, where: str = '') -> None:
    if getattr(loss, 'activated', False):
        raise ValueError(
            f'{where}{type(loss).__name__} has activated=True; allowed: losses of logits'
        )


@contextmanager
def flipped(
    losses: Iterable[nn.Module], instead: Mapping[str, Callable[..., Tensor]] | None = None
) -> Iterator[None]:
    """Let loss modules compute their flipped form inside of the context.

    Args:
        losses: The loss modules, of known classes.
        instead: Flips that replace the known ones, by class name, as :func:`register_flip` takes
            them. Defaults to None.
    """
    changed: list[nn.Module] = []
    flips = {**_FLIPS, **(instead or {})}
    try:
        for loss in losses:
            loss.forward = _flipped_forward(flips[type(loss).__name__], loss, loss.forward)
            changed.append(loss)
        yield
    finally:
        for loss in changed:
            del loss.forward


def register_flip(kind: str, flip: Callable[..., Tensor]) -> None:
    """Make a loss class flippable.

    Args:
        kind: The name of the loss class.
        flip: A function that is called as ``flip(module, forward, pred, target, *args,
            **kwargs)``, where ``forward`` is that of the module; it returns what ``forward``
            would, flipped.
    """
    _FLIPS[kind] = flip


def _flipped_forward(
    flip: Callable[..., Tensor], loss: nn.Module, forward: Callable[..., Tensor]
) -> Callable[..., Tensor]:
    def run(pred: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return flip(loss, forward, pred, *args, **kwargs)

    return run


def flip_logits(loss: nn.Module, forward: Callable, pred: Tensor, *args, **kwargs) -> Tensor:
    """Flip softmax and sigmoid likelihoods; the text of the module says how."""
    if is_sigmoid(loss):
        return forward(-pred, *args, **kwargs)
    classes = pred.shape[1]
    if classes < 2:
        raise ValueError(f'softmax over {classes} class cannot be flipped; allowed: 2 or more')
    value = forward(flip_softmax_logits(pred), *args, **kwargs)
    # The constant to subtract has the same weights: uniform logits cost log C, which is rescaled
    # to log(C - 1).
    with torch.no_grad():
        uniform = forward(torch.zeros_like(pred, dtype=value.dtype), *args, **kwargs)
    return value - uniform * (math.log(classes - 1) / math.log(classes))


def _flip_focal(
    loss: nn.Module,
    forward: Callable,
    pred: Tensor,
    target: Tensor | tuple[Tensor, Tensor],
    weight: Tensor | None = None,
    avg_factor: Tensor | float | None = None,
    **kwargs: Any,
) -> Tensor:
    """Flip focal and quality focal losses of logits, (N, C); the text of the module says how."""
    value, positive = flip_focal_elements(loss, forward, pred, target, **kwargs)
    weights = torch.ones_like(value) if weight is None else weight.view(len(pred), -1)
    positives, negatives = positive * weights, ~positive * weights
    share = positives.sum() / negatives.sum().clamp(min=torch.finfo(value.dtype).eps)
    value = value * (positives + negatives * share)
    if avg_factor is None:
        return value.mean()
    return value.sum() / (avg_factor + torch.finfo(torch.float32).eps)


def flip_focal_elements(
    loss: nn.Module,
    forward: Callable,
    pred: Tensor,
    target: Tensor | tuple[Tensor, Tensor],
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """The flipped (quality) focal loss of each logit, (N, C), and which are positive."""
    _refuse_probabilities(loss)
    if pred.dim() != 2:
        raise ValueError(f'{type(loss).__name__} of {pred.dim()} dimensions; allowed: (N, C)')
    labels, quality = target if isinstance(target, tuple) else (target, None)
    classes = pred.shape[1]
    if labels.dim() == pred.dim():
        positive = labels > 0
    else:
        positive = labels[:, None] == torch.arange(classes, device=labels.device)
    kwargs['reduction_override'] = 'none'
    if quality is None:
        value = forward(-pred, positive.to(pred.dtype), **kwargs)
    else:  # run one class at a time, so that the module gives the value of each element
        single = (~positive).long().flatten(), quality.repeat_interleave(classes)
        value = forward(-pred.reshape(-1, 1), single, **kwargs).view_as(pred)
    return value, positive


def _flip_boxes(
    loss: nn.Module,
    forward: Callable,
    pred: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    avg_factor: Tensor | float | None = None,
    **kwargs: Any,
) -> Tensor:
    """Flip element-wise box losses and reduce them with the same weights and averaging factor."""
    reduction = kwargs.pop('reduction_override', None) or loss.reduction
    scale: Any = loss.loss_weight
    if not scale:
        return forward(pred, target, weight, avg_factor, reduction_override=reduction, **kwargs)
    value = forward(pred, target, reduction_override='none', **kwargs) / scale
    value = scale * flip_box_loss(value)
    if weight is not None:
        if weight.dim() > value.dim():
            weight = weight.mean(-1)
        value = value * weight
    if reduction == 'none':
        return value
    if avg_factor is not None:  # as in mmdet: without boxes an image may have a factor of 0
        return value.sum() / (avg_factor + torch.finfo(torch.float32).eps)
    return value.mean() if reduction == 'mean' else value.sum()


_FLIPS: dict[str, Callable[..., Tensor]] = {
    **dict.fromkeys(LOGIT_LOSSES, flip_logits),
    **dict.fromkeys(FOCAL_LOSSES, _flip_focal),
    **dict.fromkeys(BOX_LOSSES, _flip_boxes),
}
