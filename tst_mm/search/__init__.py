"""How the policy is found: an objective of images, an experiment, a tilted prior, an amount."""

from .amount import AdaptiveAmount
from .experiment import Effects, FactorialExperiment
from .measuring_search import MeasuringSearch
from .objective import (
    ConfidenceObjective,
    DisagreementObjective,
    Judgement,
    Losses,
    Objective,
    TeachingObjective,
    bounded_weakness,
)
from .search import Search
from .tilt import shrink, tilt

__all__ = [
    'AdaptiveAmount',
    'ConfidenceObjective',
    'DisagreementObjective',
    'Effects',
    'FactorialExperiment',
    'Judgement',
    'Losses',
    'MeasuringSearch',
    'Objective',
    'Search',
    'TeachingObjective',
    'bounded_weakness',
    'shrink',
    'tilt',
]
