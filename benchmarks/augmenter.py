"""Time of the learned augmenter, beside a training step of the network that it feeds.

    python benchmarks/augmenter.py --batch 64 --size 32 --threads 2

Prints, for a batch of random images and 4 of 14 operators: the student stage (hard gates, no
graph), the augmenter stage (relaxed gates, forward, and backward to the 25 scalars), each operator
alone and, with ``--network``, ResNet-18's forward and backward on the same batch.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from tst_mm.augment import LearnedAugmenter, Normalization
from tst_mm.augment.operators import DEFAULT_OPERATORS


def median_ms(step: Callable[[], object], repeats: int, device: torch.device) -> float:
    """Median wall-clock time of ``step`` in milliseconds, after one call to warm up."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        step()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[1:])


def build(device: torch.device, **kwargs) -> LearnedAugmenter:
    """An augmenter with ImageNet's normalisation."""
    augmenter = LearnedAugmenter(**kwargs)
    augmenter.normalization = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    return augmenter.to(device)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--batch', type=int, default=64, help='images')
    parser.add_argument('--size', type=int, nargs='+', default=[32], help='height and width')
    parser.add_argument('--repeats', type=int, default=10)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--network', action='store_true', help="also ResNet-18's training step")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    height, width = args.size[0], args.size[-1]
    inputs = torch.randn(args.batch, 3, height, width, device=device)
    augmenter = build(device)

    def augmenter_stage() -> None:
        augmenter(inputs, relaxed=True)[0].sum().backward()

    rows: list[tuple[str, Callable[[], object]]] = [
        ('student stage', lambda: augmenter(inputs)),
        ('augmenter stage', augmenter_stage),
    ]
    for name in DEFAULT_OPERATORS:
        alone = build(device, operators=[name], num_ops=1, init={'rate': 1.0})
        rows.append((f'  {name} alone', lambda alone=alone: alone(inputs)))
    if args.network:
        from torchvision.models import resnet18

        network = resnet18().to(device)
        rows.append(('ResNet-18 training step', lambda: network(inputs).sum().backward()))
    print(f'{args.batch} images of {height} x {width}, {device}, {args.threads} threads, median ms')
    for name, step in rows:
        print(f'{name:26}{median_ms(step, args.repeats, device):10.2f}')


if __name__ == '__main__':
    main()
