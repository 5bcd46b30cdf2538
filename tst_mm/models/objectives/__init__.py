"""How sure a network is of what is true."""

from .confidence import Confidence, is_sigmoid

__all__ = ['Confidence', 'is_sigmoid']
