"""Rules of the source that no tool checks."""

import re

#: Running a script as Python would is setting the first entry of the path.
ALLOWED = {'tst_mm/__main__.py'}


def test_nobody_changes_the_path_that_modules_are_found_on(root):
    change = re.compile(r'\bsys\.path\b')
    changed = {
        str(path.relative_to(root))
        for folder in ('tst_mm', 'tools', 'benchmarks', 'tests', 'examples', 'docs')
        for path in (root / folder).rglob('*.py')
        if 'work_dirs' not in path.parts and change.search(path.read_text(encoding='utf-8'))
    }
    assert changed - {'tests/test_structure.py'} == ALLOWED
