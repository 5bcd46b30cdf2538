"""The published form, whole: what only the paper needs. Nothing outside imports it.

Configs name its components by type (``'tst_mm.PaperAugmenter'``, ``'tst_mm.FlippedObjective'``).
"""

from .augmenter import PaperAugmenter
from .fitted import FittedColor, FittedGeometric
from .flip import flip_box_loss, flip_softmax_logits, flipped, register_flip
from .flipped_objective import FlippedObjective
from .gate import relaxed_gate
from .gradient_search import GradientSearch, build_policy_optimizer
from .plateau import LossPlateau
from .policy import PaperPolicy
from .relaxed_draw import RelaxedDraw

__all__ = [
    'FittedColor',
    'FittedGeometric',
    'FlippedObjective',
    'GradientSearch',
    'LossPlateau',
    'PaperAugmenter',
    'PaperPolicy',
    'RelaxedDraw',
    'build_policy_optimizer',
    'flip_box_loss',
    'flip_softmax_logits',
    'flipped',
    'register_flip',
    'relaxed_gate',
]
