"""Datasets and transforms."""

from .balanced_subset import balanced_subset
from .embedded_fashion_mnist import EmbeddedFashionMNIST
from .transforms import LearnedAugment

__all__ = ['EmbeddedFashionMNIST', 'LearnedAugment', 'balanced_subset']
