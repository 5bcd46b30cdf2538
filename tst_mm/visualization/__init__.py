"""Figures of what was learned: evidence, policies over training, augmented images, reports."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .policy_report_hook import PolicyReportHook

if TYPE_CHECKING:
    from .agreement import plot_agreement
    from .amount import Amount, plot_amount
    from .annotations import Annotations
    from .confidence import plot_confidence
    from .distribution import Distribution, plot_distribution
    from .effects import plot_effect_history, plot_effects
    from .evidence import Evidence
    from .examples import Examples
    from .figure import save_figure
    from .final_policy import plot_final_policy
    from .history import History
    from .image_grid import plot_images, to_pictures
    from .policy_curves import plot_policy
    from .report import write_report
    from .run_record import RunRecord, load_runs
    from .summary import save_summary

#: The module of each name. All but the hook, which the registry asks for at the start of every run,
#: are imported on first use, because matplotlib takes a second.
_PLACES = {
    'Amount': 'amount',
    'Annotations': 'annotations',
    'Distribution': 'distribution',
    'Evidence': 'evidence',
    'Examples': 'examples',
    'History': 'history',
    'RunRecord': 'run_record',
    'load_runs': 'run_record',
    'plot_agreement': 'agreement',
    'plot_amount': 'amount',
    'plot_confidence': 'confidence',
    'plot_distribution': 'distribution',
    'plot_effect_history': 'effects',
    'plot_effects': 'effects',
    'plot_final_policy': 'final_policy',
    'plot_images': 'image_grid',
    'plot_policy': 'policy_curves',
    'save_figure': 'figure',
    'save_summary': 'summary',
    'to_pictures': 'image_grid',
    'write_report': 'report',
}

__all__ = [
    'Amount',
    'Annotations',
    'Distribution',
    'Evidence',
    'Examples',
    'History',
    'PolicyReportHook',
    'RunRecord',
    'load_runs',
    'plot_agreement',
    'plot_amount',
    'plot_confidence',
    'plot_distribution',
    'plot_effect_history',
    'plot_effects',
    'plot_final_policy',
    'plot_images',
    'plot_policy',
    'save_figure',
    'save_summary',
    'to_pictures',
    'write_report',
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    found = getattr(import_module(f'{__name__}.{_PLACES[name]}'), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
