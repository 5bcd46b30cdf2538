"""Distillation losses that MMRazor lacks."""

from .binary_kl import BinaryKLDivergence
from .pixel_kl import PixelKLDivergence

__all__ = ['BinaryKLDivergence', 'PixelKLDivergence']
