"""Running a page's Python blocks."""

import pytest

from test_docs.pages import blocks
from tst_mm.registry import HOOKS, MODELS, OPERATORS


@pytest.fixture
def page_space(request):
    """Run all Python blocks of a page, one after the other, in one namespace."""
    space = {'__name__': 'page'}
    for block in blocks(request.param, 'python'):
        exec(compile(block, request.param.name, 'exec'), space)
    yield space
    for registry in (HOOKS, MODELS, OPERATORS):
        for name, kind in list(registry.module_dict.items()):
            if kind.__module__ == 'page':
                del registry.module_dict[name]
