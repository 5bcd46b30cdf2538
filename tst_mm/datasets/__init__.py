"""Datasets, transforms and data preparation."""

from .embedded_fashion_mnist import EmbeddedFashionMNIST
from .transforms import LearnedAugment

__all__ = ['EmbeddedFashionMNIST', 'LearnedAugment']
