"""Who learns from whom: distillers, the frozen teacher, confidences, losses."""

from .distillers import (
    BaseDistiller,
    ClassificationDistiller,
    DetectionDistiller,
    SegmentationDistiller,
)
from .losses import (
    AnchorKLDivergence,
    BinaryKLDivergence,
    PearsonFeatureLoss,
    PixelKLDivergence,
)
from .teacher import FrozenTeacher

__all__ = [
    'AnchorKLDivergence',
    'BaseDistiller',
    'BinaryKLDivergence',
    'ClassificationDistiller',
    'DetectionDistiller',
    'FrozenTeacher',
    'PearsonFeatureLoss',
    'PixelKLDivergence',
    'SegmentationDistiller',
]
