"""Checks of data sets as users have them."""

from .cityscapes import check_cityscapes
from .coco import check_coco
from .findings import Findings
from .image_folder import check_image_folder
from .label_maps import check_label_maps
from .voc import check_voc_boxes, check_voc_maps

__all__ = [
    'Findings',
    'check_cityscapes',
    'check_coco',
    'check_image_folder',
    'check_label_maps',
    'check_voc_boxes',
    'check_voc_maps',
]
