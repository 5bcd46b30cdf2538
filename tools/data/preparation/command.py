"""The one command line of all preparation scripts."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from .errors import PreparationError
from .folder import prepare_folder


def make_parser(description: str, out: str | None, source: str | None) -> argparse.ArgumentParser:
    """Start a parser with what every preparation script knows.

    Args:
        description: The docstring of the script, which is shown as it is.
        out: The default of ``--out``, in which ``{name}`` stands for the value of option
            ``--name``; None makes it required.
        source: The help of ``--source``; None for data that have no source outside the package.

    Returns:
        A parser with ``--out``, ``--source`` and ``--force``.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    place = f'default {out}' if out else 'required'
    parser.add_argument(
        '--out', default=out, required=out is None, help=f'folder to be made, {place}'
    )
    if source:
        parser.add_argument('--source', help=source)
    parser.add_argument(
        '--force', action='store_true', help='make the folder anew if a script made it before'
    )
    return parser


def run(
    parser: argparse.ArgumentParser,
    build: Callable[[argparse.Namespace, Path], dict],
    argv: list[str] | None = None,
) -> None:
    """Parse the command line, make the folder and say what is in it.

    Args:
        parser: The parser of :func:`make_parser`, with the script's own options added.
        build: A function that is called with the options and the empty folder, and returns a
            summary that JSON can hold.
        argv: The command line; the process's own by default.
    """
    args = parser.parse_args(argv)
    if args.out == parser.get_default('out'):
        args.out = args.out.format(**vars(args))
    recipe = {key: value for key, value in vars(args).items() if key not in ('out', 'force')}
    recipe = dict(script=parser.prog, **recipe)
    try:
        summary = prepare_folder(args.out, recipe, lambda folder: build(args, folder), args.force)
    except PreparationError as error:
        sys.exit(f'error: {error}')
    except KeyboardInterrupt:
        sys.exit(f'stopped; {args.out} is as it was')
    if summary is None:
        print(f'{args.out} is prepared already')
    else:
        print(f'{args.out} is ready: {json.dumps(summary)}')
