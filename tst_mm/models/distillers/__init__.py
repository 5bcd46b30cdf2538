"""Distillers: who learns from whom, one per task."""

from .base import BaseDistiller
from .classification import ClassificationDistiller

__all__ = ['BaseDistiller', 'ClassificationDistiller']
