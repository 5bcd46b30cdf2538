"""Settings of the documentation site: ``make docs``."""

from pathlib import Path

_version: dict[str, str] = {}
exec(Path(__file__).parents[1].joinpath('tst_mm', 'version.py').read_text(), _version)

project = 'tst_mm'
author = 'the tst_mm contributors'
version = release = _version['__version__']

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
exclude_patterns = ['_build']
# Links to headings, as in `[...](#how-long)`.
myst_heading_anchors = 3
# Single backquotes in docstrings are code, as they are in the pages.
default_role = 'code'

autodoc_member_order = 'bysource'
autodoc_typehints_format = 'short'
autodoc_default_options = {'members': True, 'show-inheritance': True}
napoleon_numpy_docstring = False
# Attributes in the manner of arguments, not as entries of their own.
napoleon_use_ivar = True

html_theme = 'furo'
html_title = f'tst_mm {version}'
html_copy_source = html_show_sourcelink = False
