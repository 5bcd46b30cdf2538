"""Objectives of the augmenter: teacher strength, student weakness, flipped losses."""

from .confidence import Confidence
from .flip import (
    find_losses,
    flip_box_loss,
    flip_softmax_logits,
    flipped,
    is_sigmoid,
    register_flip,
)
from .teaching import TeachingObjective

__all__ = [
    'Confidence',
    'TeachingObjective',
    'find_losses',
    'flip_box_loss',
    'flip_softmax_logits',
    'flipped',
    'is_sigmoid',
    'register_flip',
]
