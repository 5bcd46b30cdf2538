"""Several runs: trained one after the other or side by side, their results, their tables."""

from .queue import RunError, train_all
from .results import Result, read_result, read_scalars
from .run import Run, fingerprint
from .tables import cost_table, markdown_table

__all__ = [
    'Result',
    'Run',
    'RunError',
    'cost_table',
    'fingerprint',
    'markdown_table',
    'read_result',
    'read_scalars',
    'train_all',
]
