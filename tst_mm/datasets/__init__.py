"""Datasets and data preparation."""

from .balanced_subset import balanced_subset
from .embedded_fashion_mnist import EmbeddedFashionMNIST

__all__ = ['EmbeddedFashionMNIST', 'balanced_subset']
