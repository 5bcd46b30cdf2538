"""The augmentation operators, by family; the order below is the index order of a full policy."""

from .base import ColorOperator, EraseOperator, GeometricOperator, ImageInfo, Operator
from .color import (
    Brightness,
    Color,
    Contrast,
    Equalize,
    Invert,
    Posterize,
    Sharpness,
    Solarize,
)
from .erase import Cutout
from .fitted import FittedColor, FittedGeometric
from .geometric import Rotate, ShearX, ShearY, TranslateX, TranslateY

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
#: The same, where those with a learned magnitude are imitated by encoders.
FITTED_OPERATORS = (
    *({'type': 'FittedColor', 'imitates': name} for name in DEFAULT_OPERATORS[:6]),
    *({'type': 'FittedGeometric', 'imitates': name} for name in DEFAULT_OPERATORS[6:11]),
    *DEFAULT_OPERATORS[11:],
)

__all__ = [
    'DEFAULT_OPERATORS',
    'FITTED_OPERATORS',
    'Brightness',
    'Color',
    'ColorOperator',
    'Contrast',
    'Cutout',
    'Equalize',
    'EraseOperator',
    'FittedColor',
    'FittedGeometric',
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
