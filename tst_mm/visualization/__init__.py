"""Figures of what was learned: policies over training, confidences, augmented images, reports."""

from .agreement import plot_agreement
from .annotations import Annotations
from .confidence import plot_confidence
from .distribution import Distribution, plot_distribution
from .examples import Examples
from .figure import save_figure
from .final_policy import plot_final_policy
from .history import History
from .image_grid import plot_images, to_pictures
from .policy_curves import plot_policy
from .policy_report_hook import PolicyReportHook
from .report import write_report
from .run_record import RunRecord, load_runs

__all__ = [
    'Annotations',
    'Distribution',
    'Examples',
    'History',
    'PolicyReportHook',
    'RunRecord',
    'load_runs',
    'plot_agreement',
    'plot_confidence',
    'plot_distribution',
    'plot_final_policy',
    'plot_images',
    'plot_policy',
    'save_figure',
    'to_pictures',
    'write_report',
]
