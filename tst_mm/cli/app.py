"""The frame of the command ``tst``: finds the command, reads its arguments, runs it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from tst_mm.utils.errors import closest
from tst_mm.version import __version__

#: The module of each command, and what it does, in the order of the overview. A module has a
#: docstring, which is the command's help, ``add_arguments(parser)`` and ``run(args)``.
COMMANDS = {
    'demo': ('demo', 'train a teacher and its students on real images, compare them'),
    'distill': ('distill', 'teach a student of any config, by one line'),
    'train': ('train', 'train a config: TST, distillation, or a plain one'),
    'test': ('test', 'evaluate a checkpoint'),
    'report': ('report', 'show what runs have learned, on one page'),
    'export student': ('export_student', 'take the student out of a checkpoint'),
    'export policy': ('export_policy', 'take the learned policy out of a run'),
    'check data': ('check_data', 'say what is in a data set, and what is wrong with it'),
    'check config': ('check_config', 'build all that a config says and try two steps'),
    'info': ('info', 'versions, devices, and what is supported'),
    'completion': ('completion', 'print the completion of this command for a shell'),
}
_EXAMPLES = """examples:
  tst demo
  tst check data ~/pictures
  tst distill mmpretrain::resnet/resnet18_8xb32_in1k.py \\
      --teacher mmpretrain::resnet/resnet50_8xb32_in1k.py --data ~/pictures --train-teacher
  tst report work_dirs/distill_resnet18_8xb32_in1k

`tst COMMAND --help` says more about a command."""


def main(argv: Sequence[str] | None = None, prog: str = 'tst') -> int:
    """Run the command line.

    Args:
        argv: The arguments. Defaults to None, those of the process.
        prog: The name of the program, for its help. Defaults to ``'tst'``.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        print(overview(prog), file=sys.stderr)
        return 2
    if words[0] in ('-h', '--help', 'help'):
        print(overview(prog))
        return 0
    if words[0] in ('-V', '--version'):
        print(f'tst_mm {__version__}')
        return 0
    for length in (2, 1):
        name = ' '.join(words[:length])
        if name in COMMANDS:
            return run_command(name, words[length:], f'{prog} {name}')
    return _unknown(words, prog)


def overview(prog: str = 'tst') -> str:
    """The help of the whole program.

    Args:
        prog: The name of the program. Defaults to ``'tst'``.
    """
    lines = [f'  {name:16}{about}' for name, (_, about) in COMMANDS.items()]
    return '\n'.join([f'usage: {prog} COMMAND [ARGUMENTS]', '', 'commands:', *lines, '', _EXAMPLES])


def run_command(name: str, argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run one command; a mistake is one line on stderr.

    Args:
        name: The key of the command in ``COMMANDS``.
        argv: The arguments behind the name. Defaults to None, those of the process.
        prog: What the help calls the command. Defaults to None, the name of the script.

    Returns:
        The exit code.

    Raises:
        SystemExit: The usage is wrong (2), help was asked for (0), or the command failed (1).
    """
    module = command_module(name)
    args = make_parser(module, prog).parse_args(argv)
    from tst_mm.utils.cli import one_line_errors  # imports torch

    with one_line_errors():
        return module.run(args) or 0
    raise AssertionError('not reached: an error ends the program')


def command_module(name: str) -> ModuleType:
    """Import the module of a command.

    Args:
        name: The key of the command in ``COMMANDS``.
    """
    return import_module(f'tst_mm.cli.{COMMANDS[name][0]}')


def make_parser(module: ModuleType, prog: str | None = None) -> argparse.ArgumentParser:
    """The parser of a command, with its docstring as the description.

    Args:
        module: The module of the command.
        prog: What the help calls the command. Defaults to None, the name of the script.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return parser


def _unknown(words: Sequence[str], prog: str) -> int:
    """Name a command that there is not; of a group, the group's commands."""
    group = [name.split()[1] for name in COMMANDS if name.split()[0] == words[0] != name]
    if group and words[1:] and words[1] in ('-h', '--help'):
        print('\n'.join(f'{prog} {words[0]} {name}' for name in group))
        return 0
    if group:
        wrong = f'{words[1]!r}' if words[1:] else 'nothing'
        hint = closest(words[1] if words[1:] else '', group)
        print(f'{prog}: {words[0]} is followed by {wrong}; {hint}', file=sys.stderr)
    else:
        print(
            f'{prog}: unknown command {words[0]!r}; {closest(words[0], COMMANDS)}', file=sys.stderr
        )
    return 2
