"""How sure a network is of the true classes."""

from .confidence import Confidence, is_sigmoid

__all__ = ['Confidence', 'is_sigmoid']
