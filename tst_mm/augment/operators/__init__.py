"""The augmentation operators, by family; the order below is the index order of a full policy."""

from typing import Any

from .base import ColorOperator, EraseOperator, GeometricOperator, ImageInfo, Operator
from .color import (
    Brightness,
    Color,
    Contrast,
    Equalize,
    Grey,
    Hue,
    Invert,
    Posterize,
    Sharpness,
    Solarize,
)
from .erase import Cutout
from .geometric import Rotate, ShearX, ShearY, TranslateX, TranslateY
from .mirror import FlipX, FlipY, Zoom
from .texture import Blur, Noise

#: The search space of the paper, in the reference's index order.
DEFAULT_OPERATORS = (
    'Brightness',
    'Color',
    'Contrast',
    'Sharpness',
    'Posterize',
    'Solarize',
    'ShearX',
    'ShearY',
    'TranslateX',
    'TranslateY',
    'Rotate',
    'Equalize',
    'Invert',
    'Cutout',
)
#: The operators that the wide set has beside those of the paper.
_FURTHER = ('FlipX', 'FlipY', 'Zoom', 'Hue', 'Grey', 'Blur', 'Noise')
#: The sets of operators that ``operators`` may name instead of listing them.
OPERATOR_SETS: dict[str, tuple[str | dict[str, Any], ...]] = {
    'standard': DEFAULT_OPERATORS,
    'wide': (*DEFAULT_OPERATORS, *_FURTHER),
    # Seen from above, as in aerial images and microscopy, nothing has an upper side.
    'overhead': tuple(
        {'type': 'Rotate', 'limit': 180.0} if name == 'Rotate' else name
        for name in (*DEFAULT_OPERATORS, *_FURTHER)
    ),
    # Digits, documents and signs have a direction to be read in, and fine strokes.
    'text': (
        *DEFAULT_OPERATORS[:6],
        {'type': 'ShearX', 'limit': 0.15},
        {'type': 'ShearY', 'limit': 0.15},
        {'type': 'TranslateX', 'limit': 0.1},
        {'type': 'TranslateY', 'limit': 0.1},
        {'type': 'Rotate', 'limit': 10.0},
        'Equalize',
        'Invert',
        {'type': 'Cutout', 'limit': 0.25},
    ),
}

__all__ = [
    'DEFAULT_OPERATORS',
    'OPERATOR_SETS',
    'Blur',
    'FlipX',
    'FlipY',
    'Grey',
    'Hue',
    'Noise',
    'Zoom',
    'Brightness',
    'Color',
    'ColorOperator',
    'Contrast',
    'Cutout',
    'Equalize',
    'EraseOperator',
    'GeometricOperator',
    'ImageInfo',
    'Invert',
    'Operator',
    'Posterize',
    'Rotate',
    'Sharpness',
    'ShearX',
    'ShearY',
    'Solarize',
    'TranslateX',
    'TranslateY',
]
