"""Parts of tools/fit_operators.py."""
