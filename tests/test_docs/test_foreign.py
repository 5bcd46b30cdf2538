"""``docs/foreign.md`` lists every private name of another library that the code touches."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'foreign.md').read_text()
#: Python's own, which is public in spite of its name.
PUBLIC = {'_exit'}


def touched(tree: ast.Module) -> Iterator[str]:
    """Private attributes of objects that a module does not define itself."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    defined = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    own = {node.name for node in defined} | {n.attr for n in names if is_self(n.value)}
    for node in names:
        private = node.attr.startswith('_') and not node.attr.startswith('__')
        if private and node.attr not in own and not is_self(node.value):
            yield node.attr


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ('self', 'cls')


def test_every_private_name_is_on_the_page():
    paths = sorted((ROOT / 'tst_mm').rglob('*.py'))
    found = {name: path for path in paths for name in touched(ast.parse(path.read_text()))}
    assert {'_foreach_norm', '_bbox_forward'} <= found.keys()
    missing = {n: p for n, p in found.items() if f'`{n}`' not in PAGE and n not in PUBLIC}
    assert not missing, f'not in docs/foreign.md: {missing}'


def test_every_patch_of_a_run_is_on_the_page():
    """Methods of foreign objects are replaced in ``compat`` only."""
    replaced = ('save_checkpoint', 'run_iter', 'step', 'train_step', 'call_hook', '_hooks')
    for path in sorted((ROOT / 'tst_mm').rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            for target in node.targets if isinstance(node, ast.Assign) else []:
                if not isinstance(target, ast.Attribute) or is_self(target.value):
                    continue
                if target.attr in replaced:
                    assert path.parent.name == 'compat', (path, target.attr)
                    assert f'`{target.attr}`' in PAGE


def test_the_tests_on_the_page_are_there():
    for word in PAGE.split('`'):
        if word.startswith('test_'):
            places = [ROOT / 'tests' / word, ROOT / 'tests' / 'test_compat' / word]
            assert any(place.exists() for place in places), word
