"""Where the time of a step goes, operator by operator, as text.

python -m benchmarks.cost.profile demo split search
python -m benchmarks.cost.profile retinanet search --rows 20
"""

from __future__ import annotations

import argparse
import warnings

import torch
from torch.profiler import ProfilerActivity, profile

_STEPS = ('plain', 'kd', 'split', 'double', 'search', 'bare')


def main(argv: list[str] | None = None) -> None:
    """Print a profile of each step asked for."""
    from .augmenters import SIZES, augmenter_pass
    from .networks import cases
    from .steps import Steps

    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.cost.profile',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'case',
        help=f'demo, classification, faster_rcnn, retinanet, pspnet, or one of {", ".join(SIZES)}',
    )
    parser.add_argument('steps', nargs='*', metavar='STEP', help=', '.join(_STEPS))
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--rows', type=int, default=12, help='operators (default: 12)')
    args = parser.parse_args(argv)
    warnings.filterwarnings('ignore')
    torch.set_num_threads(1)
    device = torch.device(args.device)
    if args.case in SIZES:
        call = augmenter_pass(SIZES[args.case], device)
        print(f'augmenter, {args.case}, on {args.device}')
        print(profile_call(call, device, args.rounds, args.rows))
        return
    known = cases(device)
    if args.case not in known:
        parser.error(f'case {args.case!r}; allowed: {", ".join([*known, *SIZES])}')
    if unknown := set(args.steps) - set(_STEPS):
        parser.error(f'steps {sorted(unknown)}; allowed: {", ".join(_STEPS)}')
    steps = Steps(known[args.case], device)
    for name in args.steps:
        print(f'{args.case}, {name} step, of {args.rounds} on {args.device}')
        print(profile_call(steps.calls[name], device, args.rounds, args.rows))


def profile_call(call, device: torch.device, rounds: int, rows: int) -> str:
    """The operators of a call with the largest times of their own, in milliseconds a call.

    Args:
        call: What is profiled.
        device: The device of the call; on a GPU times are the device's.
        rounds: How many calls are made, after one that does not count.
        rows: How many operators the table has.
    """
    cuda = device.type == 'cuda'
    call()
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with profile(activities=activities) as found:
        for _ in range(rounds):
            call()
    key = 'self_device_time_total' if cuda else 'self_cpu_time_total'
    events = sorted(found.key_averages(), key=lambda event: -getattr(event, key))
    total = sum(getattr(event, key) for event in events)
    lines = [f'{"operator":<44}{"ms":>9}{"share":>8}{"calls":>8}']
    for event in events[:rows]:
        spent = getattr(event, key)
        lines.append(
            f'{event.key[:43]:<44}{spent / rounds / 1000:>9.2f}'
            f'{spent / total:>8.1%}{event.count / rounds:>8.1f}'
        )
    lines.append(f'{"all":<44}{total / rounds / 1000:>9.2f}')
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    main()
