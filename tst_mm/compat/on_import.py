"""Run a mend around the first import of a module, however that import comes about."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

#: A context manager function: what stands before its ``yield`` runs before the code of the module,
#: and what stands after it sees the finished module.
Mend = Callable[[ModuleType], AbstractContextManager[None]]


class _MendingLoader(Loader):
    """Executes one module inside its mend."""

    def __init__(self, loader: Loader, mend: Mend) -> None:
        self.loader = loader
        self.mend = mend

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: resources and source lines are found through it.
        module.__loader__ = module.__spec__.loader = self.loader  # type: ignore[union-attr]
        with self.mend(module):
            self.loader.exec_module(module)


class _MendingFinder(MetaPathFinder):
    """Finds the modules that have a mend, through the other finders."""

    def __init__(self) -> None:
        self.mends: dict[str, Mend] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        mend = self.mends.get(fullname)
        if mend is None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _MendingLoader(spec.loader, mend)
                return spec
        return None


_FINDER = _MendingFinder()


def mend_on_import(name: str, mend: Mend) -> None:
    """Apply a mend to a module: now if it is imported already, else when it is.

    Args:
        name: The full name of the module.
        mend: The mend, which is applied once; a second call with the same name changes nothing.
    """
    if name in _FINDER.mends:
        return
    _FINDER.mends[name] = mend
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    if name in sys.modules:
        with mend(sys.modules[name]):
            pass
