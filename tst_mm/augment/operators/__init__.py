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
