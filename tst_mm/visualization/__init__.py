"""Figures of what was learned: policies over training, confidences, augmented images."""

from .annotations import Annotations
from .confidence import plot_confidence
from .examples import plot_examples
from .figure import save_figure
from .history import History
from .image_grid import plot_images, to_pictures
from .policy_curves import plot_policy

__all__ = [
    'Annotations',
    'History',
    'plot_confidence',
    'plot_examples',
    'plot_images',
    'plot_policy',
    'save_figure',
    'to_pictures',
]
