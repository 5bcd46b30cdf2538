"""Time of ``LearnedAugment`` on a loader worker, beside mmdet's ``RandAugment``.

    python benchmarks/transform.py --size 512 1024 --num-ops 4

Both augment the same photograph with its label map, with as many operators an image, on one core;
every drawn operator acts (rate 1). The two take turns, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.registry import init_default_scope

from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.registry import TRANSFORMS


def build(num_ops: int, magnitude: float) -> dict[str, Any]:
    """The two transforms by name."""
    import mmdet.datasets.transforms  # noqa: F401  (registers)

    init_default_scope('mmdet')
    entries = [
        {'name': name, 'rate': 1.0, 'magnitude': magnitude} for name in DEFAULT_OPERATORS[:11]
    ]
    entries += [{'name': name, 'rate': 1.0} for name in DEFAULT_OPERATORS[11:]]
    policy = {'version': 1, 'operators': entries}
    configs = {
        'LearnedAugment': {'type': 'tst_mm.LearnedAugment', 'policy': policy, 'num_ops': num_ops},
        'RandAugment': {'type': 'mmdet.RandAugment', 'aug_num': num_ops},
    }
    return {name: TRANSFORMS.build(config) for name, config in configs.items()}


def photograph(height: int, width: int) -> dict[str, Any]:
    """A photograph and a label map, as a pipeline has loaded them."""
    from skimage import data

    image = cv2.resize(data.astronaut(), (width, height), interpolation=cv2.INTER_CUBIC)
    labels = (image.astype(int).sum(2) // 48).astype(np.uint8)
    return {'img': image, 'gt_seg_map': labels, 'img_shape': (height, width)}


def main() -> None:
    """Measure and print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--size', type=int, nargs=2, default=[512, 1024], help='height and width')
    parser.add_argument('--num-ops', type=int, default=4, help='operators an image')
    parser.add_argument('--magnitude', type=float, default=0.5, help='of LearnedAugment')
    parser.add_argument('--repeats', type=int, default=200)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    np.random.seed(0)
    transforms = build(args.num_ops, args.magnitude)
    loaded = photograph(*args.size)
    times: dict[str, list[float]] = {name: [] for name in transforms}
    for _ in range(args.repeats):
        for name, transform in transforms.items():
            results = {
                key: value.copy() if isinstance(value, np.ndarray) else value
                for key, value in loaded.items()
            }
            start = time.process_time()
            transform(results)
            times[name].append((time.process_time() - start) * 1000)
    height, width = args.size
    print(f'{height} x {width} with a label map, {args.num_ops} operators, one core')
    for name, values in times.items():
        print(
            f'{name:16}median {statistics.median(values):7.2f} ms   '
            f'mean {statistics.fmean(values):7.2f}   least {min(values):7.2f}'
        )
    learned, random = (statistics.median(values) for values in times.values())
    print(f'ratio of the medians, LearnedAugment / RandAugment: {learned / random:.2f}')


if __name__ == '__main__':
    main()
