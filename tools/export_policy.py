"""Take the learned policy out of a checkpoint or a ``policy.json``, without its history.

The file serves ``LearnedAugmenter(init=...)``.
Example: ``python tools/export_policy.py work_dirs/tst/iter_1500.pth --out policy.json``
"""

import argparse
import json
from pathlib import Path
from typing import Any

import tst_mm  # noqa: F401  (its mends come before any other library)
from tst_mm.engine.schedule_state import STATE_KEY
from tst_mm.utils.checkpoints import read_checkpoint
from tst_mm.utils.cli import one_line_errors
from tst_mm.utils.files import write_json


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Take the learned policy out of a run.')
    parser.add_argument('source', help='checkpoint of TST, or policy.json')
    parser.add_argument('--out', help='JSON file; default: print the policy only')
    return parser.parse_args()


def read_policy(path: Path) -> dict[str, Any]:
    """The policy in a file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: There is no policy in it.
    """
    if path.suffix == '.json':
        policy = json.loads(path.read_text())
    else:
        policy = read_checkpoint(path).get(STATE_KEY, {}).get('policy', {})
    if 'operators' not in policy:
        raise ValueError(f'{path} holds no policy; allowed: a TST checkpoint, or policy.json')
    return {key: policy[key] for key in ('version', 'operators')}


def export(args: argparse.Namespace) -> None:
    """Print the policy, and write it when asked."""
    policy = read_policy(Path(args.source))
    for entry in policy['operators']:
        strength = '' if entry['magnitude'] is None else f'  magnitude {entry["magnitude"]:.3f}'
        unit = f' ({entry["physical"]:.3g} {entry["unit"]})' if strength else ''
        print(f'{entry["name"]:12}  rate {entry["rate"]:.3f}{strength}{unit}')
    if args.out:
        write_json(args.out, policy)


if __name__ == '__main__':
    arguments = parse_args()
    with one_line_errors():
        export(arguments)
