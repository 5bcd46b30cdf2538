"""Take the learned policy out of a checkpoint or a ``policy.json``.

The file serves ``LearnedAugmenter(init=...)``, and ``LearnedAugment`` in any pipeline. Where the
policy comes from goes with it; its history too with ``--history``.

Examples:
  tst export policy work_dirs/tst/iter_1500.pth --out policy.json
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from tst_mm.augment.policy_file import check_policy, read_policy
from tst_mm.engine.schedule.schedule_state import SCHEDULE_KEY
from tst_mm.utils.checkpoints import read_checkpoint
from tst_mm.utils.files import write_json

_KEYS = ('version', 'operators', 'augmenter', 'provenance')


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('source', help='checkpoint of TST, or policy.json')
    parser.add_argument('--out', help='JSON file; default: print the policy only')
    parser.add_argument(
        '--history',
        action='store_true',
        help='write the rates and magnitudes over training too; LearnedAugment(schedule=True) '
        'follows them',
    )


def load_policy(path: Path) -> dict[str, Any]:
    """The content of a policy file, read from one or from a checkpoint.

    Raises:
        FileNotFoundError: There is no such file.
        KeyError: There is an unknown key where only known ones have an effect.
        ValueError: There is no policy in it, or a wrong one.
    """
    if path.suffix == '.json':
        return read_policy(path)
    state = read_checkpoint(path).get(SCHEDULE_KEY, {})
    if 'operators' not in state.get('policy', {}):
        raise ValueError(f'{path} holds no policy; allowed: a TST checkpoint, or policy.json')
    kept = {key: state[key] for key in ('augmenter', 'provenance', 'history') if key in state}
    policy = {**state['policy'], **kept}
    for entry, known in zip(policy['operators'], state.get('evidence', []), strict=False):
        entry.update(known)
    check_policy(policy, f'policy in {path}')
    return policy


def run(args: Namespace) -> None:
    """Print the policy, and write it when asked.

    Raises:
        ValueError: ``--history`` is asked for, but there is none.
    """
    policy = load_policy(Path(args.source))
    for entry in policy['operators']:
        line = f'{entry["name"]:12}  rate {entry["rate"]:.3f}'
        if entry.get('magnitude') is not None:
            line += f'  magnitude {entry["magnitude"]:.3f}'
            if 'physical' in entry:
                line += f' ({entry["physical"]:.3g} {entry.get("unit", "")})'
        print(line)
    if args.history and not policy.get('history'):
        raise ValueError(f'{args.source} holds no history; leave --history away')
    keys = (*_KEYS, 'history') if args.history else _KEYS
    if args.out:
        write_json(args.out, {key: policy[key] for key in keys if key in policy})
