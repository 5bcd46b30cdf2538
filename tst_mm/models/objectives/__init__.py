"""How sure a network is of the true classes."""

from .confidence import Confidence, confidence_in, is_sigmoid

__all__ = ['Confidence', 'confidence_in', 'is_sigmoid']
