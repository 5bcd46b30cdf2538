"""What happens to images and their labels: operators, policy, draws. Pure tensors."""

from .augmenter import LearnedAugmenter
from .draw import Draw, hard_gate
from .labels import at_scale, move_boxes, move_keypoints, move_maps, move_masks, move_points
from .normalization import Normalization
from .policy import AugmentPolicy

__all__ = [
    'AugmentPolicy',
    'Draw',
    'LearnedAugmenter',
    'Normalization',
    'at_scale',
    'hard_gate',
    'move_boxes',
    'move_keypoints',
    'move_maps',
    'move_masks',
    'move_points',
]
