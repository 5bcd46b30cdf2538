"""Checks of data sets as users have them."""

from .cityscapes import check_cityscapes
from .coco import check_coco
from .findings import Findings

__all__ = ['Findings', 'check_cityscapes', 'check_coco']
