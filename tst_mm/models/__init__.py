"""Who learns from whom: distillers, the frozen teacher, how sure they are, losses."""

from .distillers import (
    BaseDistiller,
    ClassificationDistiller,
    DetectionDistiller,
    SegmentationDistiller,
)
from .losses import BinaryKLDivergence, PixelKLDivergence
from .teacher import FrozenTeacher

__all__ = [
    'BaseDistiller',
    'BinaryKLDivergence',
    'ClassificationDistiller',
    'DetectionDistiller',
    'FrozenTeacher',
    'PixelKLDivergence',
    'SegmentationDistiller',
]
