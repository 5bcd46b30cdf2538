"""Installation of tst_mm. ``make setup`` prepares everything else."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """The requirements in one file of ``requirements/``, comments dropped."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith(('#', '-'))]


def extras() -> dict[str, list[str]]:
    """What the libraries of each task import, by the headings of ``requirements/optional.txt``."""
    parts: dict[str, list[str]] = {}
    text = (ROOT / 'requirements' / 'optional.txt').read_text(encoding='utf-8')
    for heading, body in re.findall(r'^# \[(\w+)\].*\n((?:[^#].*\n)+)', text, re.MULTILINE):
        parts[heading] = body.split()
    shared = parts.pop('all')
    tasks = {name: [*shared, *own] for name, own in parts.items()}
    return {**tasks, 'all': sorted({name for names in tasks.values() for name in names})}


def read_version() -> str:
    """The version, read without importing the package."""
    text = (ROOT / 'tst_mm' / 'version.py').read_text(encoding='utf-8')
    return re.search(r"__version__ = '(.+)'", text)[1]


setup(
    name='tst_mm',
    version=read_version(),
    description='TST for OpenMMLab: data-based distillation with a learned augmenter',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['tst_mm', 'tst_mm.*']),
    # .mim is where MMEngine (`tst_mm::...`) and MIM look for configs and tools; in a clone it holds
    # links, in a wheel the files.
    package_data={
        'tst_mm': [
            'paper/fitted.json',
            'augment/policies/*.json',
            'datasets/embedded/**/*',
            '.mim/**/*',
        ]
    },
    entry_points={'console_scripts': ['tst = tst_mm.cli.app:main']},
    exclude_package_data={'': ['*.pyc']},
    # torch, MMEngine and mmcv are not declared: they come in two families with the same import
    # names, and mmcv must be built against the installed torch. `import tst_mm` checks them.
    install_requires=requirements('runtime'),
    extras_require=extras(),
)
