"""The pages of the documentation and the code blocks in them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs'
PAGES = [ROOT / 'README.md', *sorted(DOCS.glob('*.md'))]


def fences(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each code block."""
    language, lines = None, []
    for line in page.read_text(encoding='utf-8').splitlines():
        if not line.startswith('```'):
            lines.append(line)
        elif language is None:
            language, lines = line[3:].strip(), []
        else:
            yield language, '\n'.join(lines) + '\n'
            language = None


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a language."""
    return [text for found, text in fences(page) if found == language]


def named_blocks(page: Path) -> dict[str, str]:
    """The Python blocks whose first line is the name of a file."""
    found = (re.match(r'# (\w+\.py)\n', block) and block for block in blocks(page, 'python'))
    return {block[2:].split('\n', 1)[0]: block for block in found if block}


def side(diff: str, other: str) -> str:
    """What a diff leads to (``other='-'``), or comes from (``'+'``)."""
    lines = [line[1:] for line in diff.splitlines() if not line.startswith(other)]
    return '\n'.join(lines) + '\n'
