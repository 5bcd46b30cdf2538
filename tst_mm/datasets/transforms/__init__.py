"""Transforms for pipelines of any OpenMMLab library."""

from .learned_augment import LearnedAugment

__all__ = ['LearnedAugment']
