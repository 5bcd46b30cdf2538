"""The few functions that a notebook needs; the tools do the same from the command line."""

from .distill import Distilled, distill

__all__ = ['Distilled', 'distill']
