"""Datasets and data preparation."""

from .embedded_fashion_mnist import EmbeddedFashionMNIST

__all__ = ['EmbeddedFashionMNIST']
