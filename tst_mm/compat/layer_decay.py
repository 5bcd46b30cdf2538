"""Mend for layer-wise learning rates: the constructors of mmdet, mmpretrain and mmseg.

They tell the depth of a parameter by its name in the model that they are given. That is the
distiller, whose names begin with ``student.``: mmpretrain's constructor then fails, and those of
mmdet and mmseg give every layer the rate of the last. They are given the student instead; what is
trained beside it (connectors) has the plain rate. This mend can go when MMEngine lets a model say
which part an optimiser's constructor is to walk through.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any


@contextmanager
def rates_of_the_student(constructors: ModuleType) -> Iterator[None]:
    """Let the constructors of a module walk through the student of a distiller.

    Args:
        constructors: The module, which defines classes with ``add_params(params, module, ...)``.
    """
    yield
    for kind in vars(constructors).values():
        defined_here = isinstance(kind, type) and kind.__module__ == constructors.__name__
        if defined_here and 'add_params' in vars(kind):
            kind.add_params = _through_the_student(kind.add_params)


def _through_the_student(add_params: Callable[..., None]) -> Callable[..., None]:
    @wraps(add_params)
    def through(self: Any, params: list[dict], module: Any, *args: Any, **kwargs: Any) -> None:
        beside = getattr(module, 'parameters_beside_student', None)
        if beside is None:
            add_params(self, params, module, *args, **kwargs)
            return
        add_params(self, params, module.student, *args, **kwargs)
        rest = beside()
        if rest:
            group: dict[str, Any] = {'params': list(rest.values())}
            if any(
                'param_names' in other for other in params
            ):  # torch wants names for all groups or for none
                group['param_names'] = list(rest)
            params.append(group)

    return through
