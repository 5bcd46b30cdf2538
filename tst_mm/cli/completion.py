"""Print the completion of `tst` for a shell.

Examples:
  tst completion bash > ~/.local/share/bash-completion/completions/tst
  eval "$(tst completion zsh)"                     # in ~/.zshrc, after compinit
  tst completion fish > ~/.config/fish/completions/tst.fish
"""

import re
from argparse import ArgumentParser, Namespace

from .app import COMMANDS, command_module, make_parser

_BASH = """_tst() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" name="${{COMP_WORDS[1]}}" words=""
  case "$name" in export|check) [ "$COMP_CWORD" -gt 2 ] && name="$name ${{COMP_WORDS[2]}}" ;; esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="{first}"; else case "$name" in
{cases}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ "$COMP_CWORD" -gt 1 ] && [ "${{word#-}}" = "$word" ] && COMPREPLY+=($(compgen -f -- "$word"))
}}
complete -o filenames -F _tst tst
"""
_ZSH = 'autoload -U +X bashcompinit && bashcompinit\n'


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('shell', choices=['bash', 'zsh', 'fish'])


def run(args: Namespace) -> None:
    """Print the script."""
    print(script(args.shell), end='')


def script(shell: str) -> str:
    """The completion for a shell: commands, their options, files.

    Args:
        shell: ``'bash'``, ``'zsh'`` or ``'fish'``.
    """
    first = list(dict.fromkeys(name.split()[0] for name in COMMANDS))
    groups = {
        group: [name.split()[1] for name in COMMANDS if name.split()[0] == group != name]
        for group in first
    }
    if shell == 'fish':
        return '\n'.join(_fish(first, groups)) + '\n'
    cases = [f'    {name}) words="{" ".join(parts)}" ;;' for name, parts in groups.items() if parts]
    cases += [f'    "{name}") words="{" ".join(_options(name))}" ;;' for name in COMMANDS]
    bash = _BASH.format(first=' '.join(first), cases='\n'.join(cases))
    return _ZSH + bash if shell == 'zsh' else bash


def _options(name: str) -> list[str]:
    """The long options of a command."""
    usage = make_parser(command_module(name)).format_usage()
    return ['--help', *dict.fromkeys(re.findall(r'--[a-z][a-z-]+', usage))]


def _fish(first: list[str], groups: dict[str, list[str]]) -> list[str]:
    lines = [f'complete -c tst -n __fish_use_subcommand -f -a "{" ".join(first)}"']
    for group, names in groups.items():
        if names:
            seen = f'__fish_seen_subcommand_from {group}'
            lines.append(f'complete -c tst -n "{seen}" -a "{" ".join(names)}"')
    for name in COMMANDS:
        seen = ' && '.join(f'__fish_seen_subcommand_from {part}' for part in name.split())
        lines += [f'complete -c tst -n "{seen}" -l {option[2:]}' for option in _options(name)]
    return lines
