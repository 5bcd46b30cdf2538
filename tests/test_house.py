"""The house keeps its rules: who imports whom, what stands without the paper's room, file sizes."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'tst_mm'
#: From the ground up; a room imports only from rooms before its own, or from itself.
FLOORS = [
    {'utils', 'registry', 'version', 'compat'},
    {'augment'},
    {'search'},
    {'models', 'datasets'},
    {'engine.data'},
    {'engine.safety'},
    {'engine.schedule'},
    {'engine'},
    {'visualization', 'experiments'},
    {'apis'},
    {'cli'},
]


def room_of(module: str) -> str:
    """The room of a module below ``tst_mm``, as the floors name it."""
    parts = module.split('.')[1:]
    if '.'.join(parts[:2]) in set().union(*FLOORS):
        return '.'.join(parts[:2])
    return parts[0] if parts else ''


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def imports_of(path: Path) -> set[str]:
    """Full names of what a file of the package imports from the package, also inside functions."""
    package = name_of(path).split('.')
    if path.name != '__init__.py':
        package = package[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = '.'.join([*base, *([node.module] if node.module else [])])
            inside = (ROOT / module.replace('.', '/')).is_dir()
            found |= {f'{module}.{alias.name}' if inside else module for alias in node.names}
    return {name for name in found if name.split('.')[0] == 'tst_mm' and name != 'tst_mm'}


FILES = sorted(PACKAGE.rglob('*.py'))
HOUSE = [path for path in FILES if 'paper' not in path.relative_to(PACKAGE).parts]


def test_rooms_import_from_the_floors_below():
    floor = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
    wrong = []
    for path in HOUSE:
        own = room_of(name_of(path))
        if own in ('', '__main__'):
            continue
        for name in imports_of(path):
            other = room_of(name)
            if other in ('', own):
                continue
            assert other in floor, f'{path}: {name} is in no room'
            if floor[other] >= floor[own] and not {own, other} <= {'utils', 'registry', 'compat'}:
                wrong.append(f'{name_of(path)} -> {name}')
    assert not wrong


def test_nobody_imports_the_paper():
    tests = [p for p in (ROOT / 'tests').rglob('*.py') if 'test_paper' not in p.parts]
    others = [*HOUSE, *(ROOT / 'examples').rglob('*.py'), *(ROOT / 'configs').rglob('*.py')]
    for path in others:
        assert 'import tst_mm.paper' not in (text := path.read_text(encoding='utf-8')), path
        assert 'from tst_mm.paper' not in text, path
    assert tests


def test_modules_import_in_no_circle():
    known = {name_of(path): path for path in FILES}
    graph = {}
    for name, path in known.items():
        edges = set()
        for target in imports_of(path):
            while target not in known and '.' in target:
                target = target.rpartition('.')[0]
            # A package that imports its own parts is no circle; nor do its parts import it.
            if target in known and target != name and not name.startswith(f'{target}.'):
                edges.add(target)
        graph[name] = edges
    state: dict[str, int] = {}

    def visit(name: str, trail: list[str]) -> None:
        if state.get(name) == 1:
            pytest.fail(f'a circle: {" -> ".join([*trail[trail.index(name) :], name])}')
        if name in state:
            return
        state[name] = 1
        for target in sorted(graph[name]):
            visit(target, [*trail, name])
        state[name] = 2

    for name in sorted(graph):
        visit(name, [])


def test_files_are_what_a_reader_looks_for():
    places = [PACKAGE, *(ROOT / name for name in ('tools', 'benchmarks', 'tests', 'examples'))]
    long = {
        str(path.relative_to(ROOT)): lines
        for place in places
        for path in place.rglob('*.py')
        if (lines := len(path.read_text(encoding='utf-8').splitlines())) > 320
    }
    assert not long


def test_no_file_changes_where_python_looks():
    change = 'sys' + '.path'
    for place in ('tst_mm', 'tools', 'benchmarks', 'tests', 'examples', 'docs'):
        for path in (ROOT / place).rglob('*.py'):
            assert change not in path.read_text(encoding='utf-8'), path


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_house_stands_without_the_paper(tmp_path):
    for name in ('tst_mm', 'configs', 'tests'):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True)
    shutil.rmtree(tmp_path / 'tests' / 'test_paper')
    shutil.copy(ROOT / 'pyproject.toml', tmp_path)
    shutil.copytree(ROOT / 'tools', tmp_path / 'tools')
    shutil.copy(ROOT / 'model-index.yml', tmp_path)
    shutil.rmtree(tmp_path / 'tst_mm' / 'paper')
    # A dry run, then tests of each of the rooms that the paper's is built on.
    script = """
import sys
from pathlib import Path
import pytest
import tst_mm
from mmengine.config import Config
from tst_mm.engine.dry_run import dry_run
from tst_mm.engine.launch import set_loader_defaults
assert Path(tst_mm.__file__).is_relative_to(Path.cwd())
cfg = Config.fromfile('configs/demo/classification_tst.py')
set_loader_defaults(cfg)
cfg.model.teacher.checkpoint = 'random'
print(dry_run(cfg))
tests = ['search/test_measuring_search.py', 'augment/test_augmenter.py', 'engine/test_data']
tests = [f'tests/test_{name}' for name in tests]
sys.exit(pytest.main(['-q', '-x', '-n', '0', '-m', 'not slow', *tests]))
"""
    environment = {**os.environ, 'PYTHONPATH': str(tmp_path), 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(
        [sys.executable, '-c', script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    assert 'augmenter step' in done.stdout and ' passed' in done.stdout
