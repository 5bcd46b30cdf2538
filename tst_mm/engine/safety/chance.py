"""Whether a network is better than chance, from as few samples as a batch has."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate, log_softmax

#: Probability at which a coincidence is none.
_RARE = 0.01
#: Part of the way from chance to all right that the worst teacher worth having goes.
_SKILL = 0.25
#: Side of a square of pixels that count as one sample: neighbours say the same.
_BLOCK = 32


def class_logits(model: Any, images: Tensor, samples: list) -> tuple[Tensor, Tensor, float] | str:
    """What a classifier or segmentor says, and what is right.

    Args:
        model: A network, evaluating.
        images: (B, C, H, W) in its normalisation.
        samples: B data samples.

    Returns:
        (n, classes) logits, (n,) labels, and the number of samples that they are worth; or why
        there are none, in words.
    """
    if hasattr(model, 'encode_decode'):
        return _of_pixels(model, images, samples)
    labels: list[Any] = [getattr(sample, 'gt_label', None) for sample in samples]
    if not all(isinstance(label, Tensor) and label.numel() == 1 for label in labels):
        return 'its images have not one class each'
    logits = model(images, mode='tensor')
    if not isinstance(logits, Tensor) or logits.dim() != 2 or logits.shape[1] < 2:
        return 'it gives no logits of classes'
    return logits, torch.cat(labels).flatten().to(logits.device), len(logits)


def judge(logits: Tensor, labels: Tensor, worth: float) -> tuple[str, str]:
    """Whether predictions are better than chance.

    They are where the cross entropy is below that of a constant guess, or the accuracy above it,
    by more than a coincidence. They are not where neither is so and a network with a quarter of
    all skill would have shown it.

    Args:
        logits: (n, classes).
        labels: (n,); those outside of the classes do not count.
        worth: Of how many independent samples.

    Returns:
        ``'better'``, ``'not better'`` or ``'too few'``; and the numbers.
    """
    classes = logits.shape[1]
    valid = (labels >= 0) & (labels < classes)
    if not valid.any():
        return 'too few', 'there is no label'
    logits, labels = logits[valid].float(), labels[valid].long()
    worth = max(1.0, worth * len(labels) / len(valid))
    terms = -log_softmax(logits, 1).gather(1, labels[:, None]).flatten()
    entropy, spread = terms.mean().item(), terms.std(correction=0).item()
    accuracy = (logits.argmax(1) == labels).float().mean().item()
    chance, guess = 1 / classes, math.log(classes)
    words = (
        f'accuracy {accuracy:.3f} (chance: {chance:.3f}), cross entropy {entropy:.3g} (chance: '
        f'{guess:.3g}), from a batch worth {worth:.0f} independent samples'
    )
    above = accuracy > chance and _tail(worth, accuracy, chance) < _RARE
    if above or entropy + 3 * spread / math.sqrt(worth) < guess:
        return 'better', words
    useful = chance + _SKILL * (1 - chance)
    told = accuracy < useful and _tail(worth, accuracy, useful) < _RARE
    return 'not better' if told else 'too few', words


def _of_pixels(model: Any, images: Tensor, samples: list) -> tuple[Tensor, Tensor, float] | str:
    maps: list[Any] = [
        getattr(getattr(sample, 'gt_sem_seg', None), 'data', None) for sample in samples
    ]
    if not all(isinstance(labels, Tensor) for labels in maps):
        return 'its images have no label map'
    labels = torch.stack(maps).flatten(0, 1)
    logits = model.encode_decode(images, [dict(sample.metainfo) for sample in samples])
    if logits.shape[1] < 2:
        return 'it gives one logit a pixel'
    logits = interpolate(logits.float(), labels.shape[-2:], mode='bilinear', align_corners=False)
    flat = logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1])
    return flat, labels.flatten().to(flat.device), labels.numel() / _BLOCK**2


def _tail(count: float, rate: float, expected: float) -> float:
    """Chernoff's bound of the probability of a rate as far from what is expected, or farther."""
    divergence = sum(
        a * math.log(a / b) for a, b in ((rate, expected), (1 - rate, 1 - expected)) if a > 0
    )
    return math.exp(-count * divergence)
