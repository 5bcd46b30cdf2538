"""Everything that the benchmark measures, part by part; each part is plain data."""

from __future__ import annotations

from typing import Any

import torch

from .augmenters import SIZES, Call, augmenter_pass, beside_peers, moving_draw
from .batches import box_batch
from .counters import peak_bytes
from .counts import count_augmenter, count_on_gpu, step_waits
from .demo import demo_cost
from .host import count_launches, host_steps
from .networks import cases
from .progress import Progress
from .steps import Steps
from .timing import Times, take_turns, wait

#: What is ours waits nowhere; mmseg's accuracy and mmdet's heads read counts in their losses.
STEPS_WITHOUT_WAITS = ('demo', 'classification')


class Measurement:
    """Takes the clock to one device.

    Args:
        device: The device to measure on.
        rounds: How many rounds every case has, after the warm-up.
        progress: What is told as rounds are done.
        precision: Of the steps; see :class:`benchmarks.cost.steps.Steps`. Defaults to None.
    """

    def __init__(
        self,
        device: torch.device,
        rounds: int,
        progress: Progress,
        precision: str | None = None,
    ) -> None:
        self.device, self.rounds, self.progress = device, rounds, progress
        self.precision = precision

    def augmenter(self) -> dict[str, Any]:
        """Ours, kornia's and torchvision's operators at every size."""
        result = {}
        for name, shape in SIZES.items():
            self.progress.begin(f'augmenter {name}')
            times = self._turns(beside_peers(shape, self.device))
            result[name] = {
                'images': shape[0],
                'times': {key: value.to_dict() for key, value in times.items()},
                'speedup_over_kornia': {
                    way: times[f'kornia {way}'].over(times[f'ours {way}']).to_dict()
                    for way in ('forward', 'forward+backward')
                },
                'speedup_over_torchvision': times['torchvision forward']
                .over(times['ours forward'])
                .to_dict(),
            }
        return result

    def steps(self) -> dict[str, Any]:
        """Student and search steps of every case, beside their floors, with their memory."""
        result = {}
        for name, case in cases(self.device).items():
            self.progress.begin(f'steps of {name}')
            steps = Steps(case, self.device, self.precision)
            times = self._turns(steps.calls)
            flops = steps.flops()
            result[name] = {
                'about': case.about,
                'times': {key: value.to_dict() for key, value in times.items()},
                'ratios': {
                    'split/kd': times['split'].over(times['kd']).to_dict(),
                    'double/kd': times['double'].over(times['kd']).to_dict(),
                    'search/bare': times['search'].over(times['bare']).to_dict(),
                    'search/kd': times['search'].over(times['kd']).to_dict(),
                    'kd/plain': times['kd'].over(times['plain']).to_dict(),
                },
                'flops': flops,
                'flops_over_floor': {
                    key: flops[f'step/{key}'] / flops[f'floor/{key}'] for key in steps.calls
                },
                'memory': self._memory(steps),
            }
        return result

    def host(self) -> dict[str, Any]:
        """The host's time of student steps with and without augmentation; no device is needed."""
        result, cpu = {}, torch.device('cpu')
        for name, case in cases(cpu).items():
            self.progress.begin(f'host time of {name}')
            steps, where = host_steps(case)
            times = take_turns(steps, self.rounds, cpu, self.progress)
            result[name] = {
                'where': where,
                'times': {key: value.to_dict() for key, value in times.items()},
                'split/kd': times['split'].over(times['kd']).to_dict(),
                'launches': {key: count_launches(step, where) for key, step in steps.items()},
            }
        return result

    def labels(self) -> dict[str, Any]:
        """Boxes and masks of two images along with their augmentation, beside a student step."""
        self.progress.begin('labels of 2 images')
        case = cases(self.device)['faster_rcnn']
        steps = Steps(case, self.device)
        model = steps.models['split']
        data = model.data_preprocessor(box_batch(case.shape, boxes=100, masks=True), True)
        sizes = [tuple(case.shape[-2:])] * case.shape[0]
        draw = moving_draw(model.augmenter, sizes).to(self.device)
        times = self._turns(
            {
                'labels': lambda: model.move_labels(data['data_samples'], draw),
                'kd': steps.calls['kd'],
            }
        )
        return {
            'about': f'100 boxes and 100 masks an image, {case.about}',
            'times': {key: value.to_dict() for key, value in times.items()},
            'labels/kd': times['labels'].over(times['kd']).to_dict(),
        }

    def training(self) -> dict[str, float]:
        """The classification demo as configured, counted in passes: no clock."""
        self.progress.begin('training of the demo')
        return demo_cost()

    def growth(self) -> dict[str, Any]:
        """Augmenter time by batch, side, operators; label movement by boxes."""
        sides = (32, 64, 128, 256)
        series: dict[str, dict[int, Call]] = {
            'batch': {n: augmenter_pass((n, 3, 32, 32), self.device) for n in sides},
            'side': {n: augmenter_pass((8, 3, n, n), self.device) for n in sides},
            'operators': {
                n: augmenter_pass((8, 3, 128, 128), self.device, num_ops=n)
                for n in (1, 2, 4, 8, 14)
            },
            'boxes': {n: self._move(n) for n in (1, 10, 100, 400)},
        }
        result: dict[str, Any] = {}
        for name, variants in series.items():
            self.progress.begin(f'growth with {name}')
            times = self._turns({str(n): call for n, call in variants.items()})
            result[name] = {key: value.to_dict() for key, value in times.items()}
        return result

    def counts(self) -> dict[str, Any]:
        """What no clock is needed for: launches, samplings, copies, waits, bytes."""
        self.progress.begin('counts')
        found = cases(torch.device('cpu'))
        waits = {
            f'{name}, {step} step': {'waits': float(bool(message))}
            for name in STEPS_WITHOUT_WAITS
            for step, message in step_waits(found[name]).items()
        }
        shape = (128, 3, 32, 32)
        seen = count_on_gpu(shape, self.device) if self.device.type == 'cuda' else {}
        return {**count_augmenter(shape), **seen, **waits}

    def _turns(self, variants: dict[str, Call]) -> dict[str, Times]:
        return take_turns(variants, self.rounds, self.device, self.progress)

    def _move(self, boxes: int) -> Call:
        case = cases(self.device)['faster_rcnn']
        model = case.build(augmenter=True).to(self.device)
        data = model.data_preprocessor(box_batch(case.shape, boxes=boxes), True)
        draw = moving_draw(model.augmenter, [tuple(case.shape[-2:])] * case.shape[0])
        draw = draw.to(self.device)
        return lambda: model.move_labels(data['data_samples'], draw)

    def _memory(self, steps: Steps) -> dict[str, float]:
        """Bytes at the peak of each step; weights and optimisers lie outside."""
        measured = {name: self._peak(call) for name, call in steps.calls.items()}
        return {**measured, 'search/kd': measured['search'] / measured['kd']}

    def _peak(self, call: Call) -> float:
        if self.device.type != 'cuda':
            return float(peak_bytes(call))
        wait(self.device)
        before = torch.cuda.memory_allocated(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        call()
        wait(self.device)
        return float(torch.cuda.max_memory_allocated(self.device) - before)
