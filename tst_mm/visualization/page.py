"""One HTML page that needs nothing beside itself: pictures are inside, nothing is fetched."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from io import BytesIO

from PIL import Image

#: The pixels of a figure for one pixel of the page, so that small type stays sharp.
_DENSITY = 1.5

_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #222222; --grey: #5f6670;
  --line: #d9dce1; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181d; --ink: #e6e6e6; --grey: #9aa0a8; --line: #3a3f47; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1680px; margin: 0 auto; padding: 24px; }
dl { max-width: 800px; margin: 4px 0 16px; }
dt { color: var(--grey); }
dd { margin: 0 0 10px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 4px; padding-top: 16px; border-top: 1px solid var(--line); }
p { max-width: 800px; margin: 4px 0 12px; }
p, caption, figcaption { color: var(--grey); }
.parts { display: flex; flex-wrap: wrap; gap: 24px 32px; }
figure { margin: 0; max-width: 100%; }
figcaption { overflow-wrap: anywhere; }
img { display: block; max-width: 100%; height: auto; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 20px 4px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); max-width: 520px; overflow-wrap: break-word; }
th { font-weight: 600; }
@media (max-width: 640px) {
  main { padding: 16px; }
  h1 { font-size: 22px; }
  picture { display: block; overflow-x: auto; }
  img { max-width: none; width: 620px; }
  th, td { padding-right: 12px; } }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"/>
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def page(title: str, parts: Sequence[str]) -> str:
    """Make the whole page.

    Args:
        title: The title in plain text.
        parts: The parts in HTML, from the functions below.
    """
    return _PAGE.format(title=escape(title), style=_STYLE, body='\n'.join(parts))


def section(title: str, text: str, parts: Sequence[str], findings: str = '') -> str:
    """Make a section: a heading, the findings, how to read the parts, and the parts.

    Args:
        title: The heading in plain text.
        text: The paragraph in plain text that says how to read the parts.
        parts: The parts in HTML, which stand side by side where they fit.
        findings: The findings in HTML. Defaults to none.
    """
    body = '\n'.join(parts)
    return (
        f'<section>\n<h2>{escape(title)}</h2>\n{findings}{paragraph(text) if text else ""}\n'
        f'<div class="parts">\n{body}\n</div>\n</section>'
    )


def paragraph(text: str) -> str:
    """Make a paragraph of plain text."""
    return f'<p>{escape(text)}</p>'


def statements(pairs: Sequence[tuple[str, str]]) -> str:
    """Make a list of statements, each with what it holds for under it.

    Args:
        pairs: The pairs of a statement and what it holds for, in plain text.
    """
    lines = [f'<dt>{escape(term)}</dt><dd>{escape(text)}</dd>' for term, text in pairs]
    return '<dl>\n' + '\n'.join(lines) + '\n</dl>'


def picture(caption: str, alternative: str, light: bytes, dark: bytes) -> str:
    """Make a figure with its caption.

    Args:
        caption: The plain text above the figure; empty for none.
        alternative: The plain text that stands for the figure where it cannot be seen.
        light: The PNG file for a light page.
        dark: The PNG file for a dark page, of the same size.
    """
    with Image.open(BytesIO(light)) as image:
        width, height = image.size
    size = f'width="{width / _DENSITY:.0f}" height="{height / _DENSITY:.0f}"'
    above = f'<figcaption>{escape(caption)}</figcaption>' if caption else ''
    return (
        f'<figure>{above}<picture>'
        f'<source media="(prefers-color-scheme: dark)" srcset="{_data(dark)}"/>'
        f'<img {size} alt="{escape(alternative)}" src="{_data(light)}"/>'
        f'</picture></figure>'
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Make a table, in which the first cell of each row is its heading.

    Args:
        head: The titles of the columns in plain text.
        rows: The cells in plain text, each row as long as ``head``.
    """
    lines = [''.join(f'<th scope="col">{escape(cell)}</th>' for cell in head)]
    for first, *rest in rows:
        cells = ''.join(f'<td>{escape(cell)}</td>' for cell in rest)
        lines.append(f'<th scope="row">{escape(first)}</th>{cells}')
    body = '\n'.join(f'<tr>{line}</tr>' for line in lines)
    return f'<div class="wide"><table>\n{body}\n</table></div>'


def _data(png: bytes) -> str:
    return f'data:image/png;base64,{b64encode(png).decode()}'
