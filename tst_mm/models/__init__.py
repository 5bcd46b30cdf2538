"""Who learns from whom: distillers, the frozen teacher, objectives."""

from .distillers import BaseDistiller, ClassificationDistiller
from .objectives import TeachingObjective
from .teacher import FrozenTeacher

__all__ = ['BaseDistiller', 'ClassificationDistiller', 'FrozenTeacher', 'TeachingObjective']
