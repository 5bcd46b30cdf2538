"""Distillation losses that MMRazor lacks."""

from .anchor_kl import AnchorKLDivergence
from .binary_kl import BinaryKLDivergence
from .pearson import PearsonFeatureLoss
from .pixel_kl import PixelKLDivergence

__all__ = ['AnchorKLDivergence', 'BinaryKLDivergence', 'PearsonFeatureLoss', 'PixelKLDivergence']
