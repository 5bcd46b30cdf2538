"""Data sets as users have them: found, checked, shown, and said in the words of a library."""

from .find import find_layout
from .layout import LabelledImage, Layout

__all__ = ['LabelledImage', 'Layout', 'find_layout']
