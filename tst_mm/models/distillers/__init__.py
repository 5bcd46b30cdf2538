"""Distillers: who learns from whom, one per task."""

from .base import BaseDistiller
from .classification import ClassificationDistiller
from .connectors import ScaleConnector
from .detection import DetectionDistiller
from .segmentation import SegmentationDistiller

__all__ = [
    'BaseDistiller',
    'ClassificationDistiller',
    'DetectionDistiller',
    'ScaleConnector',
    'SegmentationDistiller',
]
