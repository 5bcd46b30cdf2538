"""Everything that the benchmark measures, part by part; each part is plain data."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.normalization import Normalization
from tst_mm.registry import MODELS

from .batches import Shape, box_batch
from .counters import Launches, NoWaits, WaitError, meta_device, peak_bytes
from .demo import demo_schedule
from .networks import Case, cases
from .peers import KorniaAugmenter, TorchvisionAugmenter
from .progress import Progress
from .steps import Steps
from .timing import Times, take_turns, wait

#: What is ours waits nowhere; mmseg's accuracy and mmdet's heads read counts in their losses.
STEPS_WITHOUT_WAITS = ('demo', 'classification')
#: Of the augmenter's batches: small images, photographs, two images of a detector, of a segmentor.
SIZES: dict[str, Shape] = {
    '128x3x32x32': (128, 3, 32, 32),
    '64x3x224x224': (64, 3, 224, 224),
    '2x3x800x1344': (2, 3, 800, 1344),
    '2x3x512x1024': (2, 3, 512, 1024),
}
Call = Callable[[], object]


class Measurement:
    """Takes the clock to one device.

    Args:
        device: The device to measure on.
        rounds: How many rounds every case has, after the warm-up.
        progress: What is told as rounds are done.
    """

    def __init__(self, device: torch.device, rounds: int, progress: Progress) -> None:
        self.device, self.rounds, self.progress = device, rounds, progress

    def augmenter(self) -> dict[str, Any]:
        """Ours, kornia's and torchvision's operators at every size."""
        result = {}
        for name, shape in SIZES.items():
            self.progress.begin(f'augmenter {name}')
            times = self._turns(self._augmenters(shape))
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
        """Student and augmenter steps of every case, beside their floors, with their memory."""
        result = {}
        for name, case in cases(self.device).items():
            self.progress.begin(f'steps of {name}')
            steps = Steps(case, self.device)
            times = self._turns(steps.calls)
            flops = steps.flops()
            result[name] = {
                'about': case.about,
                'times': {key: value.to_dict() for key, value in times.items()},
                'ratios': {
                    'split/kd': times['split'].over(times['kd']).to_dict(),
                    'double/kd': times['double'].over(times['kd']).to_dict(),
                    'augmenter/bare': times['augmenter'].over(times['bare']).to_dict(),
                    'augmenter/kd': times['augmenter'].over(times['kd']).to_dict(),
                    'kd/plain': times['kd'].over(times['plain']).to_dict(),
                },
                'flops': flops,
                'flops_over_floor': {
                    key: flops[f'step/{key}'] / flops[f'floor/{key}'] for key in steps.calls
                },
                'memory': self._memory(steps),
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
        draw = _moving_draw(model.augmenter, sizes).to(self.device)
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
        """The classification demo as configured, from the steps of both kinds in turn."""
        self.progress.begin('training of the demo')
        schedule, case = demo_schedule(), cases(self.device)['demo']
        steps = Steps(case, self.device)
        shape = (schedule.stage_images, *case.shape[1:])
        searching = Steps(replace(case, shape=shape), self.device)
        times = self._turns(
            {
                'kd': steps.calls['kd'],
                'split': steps.calls['split'],
                'stage': searching.calls['augmenter'],
            }
        )
        kd, split, stage = (times[name].median for name in ('kd', 'split', 'stage'))
        stages = schedule.augmenter_steps * stage
        whole = schedule.student_steps * split + stages
        return {
            'student_steps': float(schedule.student_steps),
            'augmenter_steps': float(schedule.augmenter_steps),
            'tst/kd': whole / (schedule.student_steps * kd),
            'stages': stages / whole,
        }

    def growth(self) -> dict[str, Any]:
        """Augmenter time by batch, side, operators; label movement by boxes."""
        augmenter = _augmenter(self.device)
        result: dict[str, Any] = {}
        series: dict[str, dict[int, Call]] = {
            'batch': {
                n: _pass(augmenter, _random((n, 3, 32, 32), self.device))
                for n in (32, 64, 128, 256)
            },
            'side': {
                n: _pass(augmenter, _random((8, 3, n, n), self.device)) for n in (32, 64, 128, 256)
            },
            'operators': {
                n: _pass(_augmenter(self.device, num_ops=n), _random((8, 3, 128, 128), self.device))
                for n in (1, 2, 4, 8, 14)
            },
            'boxes': {n: self._move(n) for n in (1, 10, 100, 400)},
        }
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
        return {**count_augmenter((128, 3, 32, 32)), **waits}

    def _turns(self, variants: dict[str, Call]) -> dict[str, Times]:
        return take_turns(variants, self.rounds, self.device, self.progress)

    def _augmenters(self, shape: Shape) -> dict[str, Call]:
        augmenter = _augmenter(self.device)
        inputs = _random(shape, self.device)
        bytes_ = torch.randint(0, 256, shape, dtype=torch.uint8).to(self.device)
        kornia, torchvision = KorniaAugmenter(augmenter), TorchvisionAugmenter(augmenter)

        def backward(images: Tensor) -> None:
            augmenter.policy.zero_grad()
            images.sum().backward()

        @torch.no_grad()
        def forward(call: Call) -> object:
            return call()

        calls: dict[str, Call] = {
            'ours forward': lambda: forward(lambda: augmenter(inputs)),
            'kornia forward': lambda: forward(lambda: kornia(inputs)),
            'torchvision forward': lambda: forward(lambda: torchvision(bytes_)),
            'ours forward+backward': lambda: backward(augmenter(inputs, relaxed=True)[0]),
            'kornia forward+backward': lambda: backward(kornia(inputs, relaxed=True)),
        }
        return {name: _with_draws(augmenter, call) for name, call in calls.items()}

    def _move(self, boxes: int) -> Call:
        case = cases(self.device)['faster_rcnn']
        model = case.build(augmenter=True).to(self.device)
        data = model.data_preprocessor(box_batch(case.shape, boxes=boxes), True)
        draw = _moving_draw(model.augmenter, [tuple(case.shape[-2:])] * case.shape[0])
        draw = draw.to(self.device)
        return lambda: model.move_labels(data['data_samples'], draw)

    def _memory(self, steps: Steps) -> dict[str, float]:
        """Bytes at the peak of each step; weights and optimisers lie outside."""
        calls = dict(steps.calls) | {
            'student alone': steps.bare_student,
            'teacher alone': steps.bare_teacher,
        }
        measured = {name: self._peak(call) for name, call in calls.items()}
        alone = max(measured['student alone'], measured['teacher alone'])
        return {**measured, 'augmenter/alone': measured['augmenter'] / alone}

    def _peak(self, call: Call) -> float:
        if self.device.type != 'cuda':
            return float(peak_bytes(call))
        wait(self.device)
        before = torch.cuda.memory_allocated(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        call()
        wait(self.device)
        return float(torch.cuda.max_memory_allocated(self.device) - before)


def count_augmenter(shape: Shape) -> dict[str, Any]:
    """Counts of one call of the augmenter, student stage and augmenter stage.

    On the ``meta`` device: the counts are those of any device.

    Args:
        shape: The shape (B, C, H, W) of a batch.

    Returns:
        Launches of a forward pass without gradient and with it, and of the backward pass;
        samplings; copies from the host; bytes of tensors at the peak over those of the images.
    """
    augmenter = _augmenter(torch.device('cpu'))
    augmenter.normalization.to('meta')  # the policy: read once after a stage, then on the host
    inputs = torch.empty(shape, device='meta')
    result: dict[str, Any] = {}
    with meta_device():
        for name, relaxed in (('student stage', False), ('augmenter stage', True)):
            augmenter.reseed(0)
            if relaxed:
                augmenter.policy.to('meta')
            launches = Launches('meta')
            with NoWaits(), launches, torch.set_grad_enabled(relaxed):
                images, _ = augmenter(inputs, relaxed=relaxed)
            result[name] = {
                'launches': launches.total,
                'samplings': launches.kernels['aten.grid_sampler_2d'],
                'copies': launches.copies,
            }
            if relaxed:
                with NoWaits(), launches:
                    images.sum().backward()
                result[name]['launches_with_backward'] = launches.total
    real = _augmenter(torch.device('cpu'))
    inputs = _random(shape, torch.device('cpu'))
    real.reseed(0)
    result['student stage']['peak_over_images'] = peak_bytes(
        lambda: torch.no_grad()(real)(inputs)
    ) / _bytes(inputs)
    real.reseed(0)
    result['augmenter stage']['peak_over_images'] = peak_bytes(
        lambda: real(inputs, relaxed=True)[0].sum().backward()
    ) / _bytes(inputs)
    return result


def augmenter_pass(shape: Shape, device: torch.device) -> Call:
    """Forward and backward pass of the augmenter alone, with draws that repeat from run to run."""
    augmenter = _augmenter(device)
    return _with_draws(augmenter, _pass(augmenter, _random(shape, device)))


def step_waits(case: Case) -> dict[str, str]:
    """Where the host would wait for the device in each kind of step.

    On the ``meta`` device, from a batch that lies there already: copying it is the loader's part.

    Args:
        case: The networks and the batch.

    Returns:
        ``student`` and ``augmenter``: the first wait in words, or an empty string.
    """
    model = case.build(augmenter=True, batch_mode='split')
    model.teacher.inputs(torch.zeros(1, case.shape[1], 1, 1), model.augmenter.normalization)
    # The student stage reads it once after a stage of the augmenter, then from the host.
    policies = {'student': deepcopy(model.augmenter.policy), 'augmenter': model.augmenter.policy}
    model.to('meta')
    data = model.data_preprocessor(case.data(case.shape), True)
    data['data_samples'] = [sample.to('meta') for sample in data['data_samples']]
    model.data_preprocessor.forward = lambda data, training: data

    def student() -> None:
        model.parse_losses(model(**data, mode='loss'))[0].backward()

    def augmenter() -> None:
        optimizer = torch.optim.SGD(model.augmenter.policy.parameters(), lr=0.0)
        model.objective.step(model, data, OptimWrapper(optimizer))

    found = {}
    for step in (student, augmenter):
        model.augmenter.policy = policies[step.__name__]
        model.augmenter.reseed(0)
        try:
            with meta_device(), NoWaits():
                step()
            found[step.__name__] = ''
        except WaitError as error:
            found[step.__name__] = str(error)
    return found


def _augmenter(device: torch.device, **changes: Any) -> Any:
    """One that a gradient trains, for both kinds of draws."""
    augmenter = MODELS.build({'type': 'tst_mm.PaperAugmenter', 'preset': 'recommended', **changes})
    augmenter.normalization = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    augmenter.reseed(0)
    return augmenter.to(device)


def _random(shape: Shape, device: torch.device) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, shape, generator=generator).float()
    return ((pixels - 117) / 58).to(device)


def _with_draws(augmenter: LearnedAugmenter, call: Call) -> Call:
    """The n-th call draws what the n-th call of any other variant draws."""
    rounds = itertools.count()

    def run() -> object:
        augmenter.reseed(next(rounds))
        return call()

    return run


def _pass(augmenter: Any, inputs: Tensor) -> Call:
    return lambda: augmenter(inputs, relaxed=True)[0].sum().backward()


def _moving_draw(augmenter: LearnedAugmenter, sizes: list) -> Any:
    """A draw that moves every image."""
    seed = 0
    while True:
        augmenter.reseed(seed)
        draw = augmenter.draw(sizes)
        if len(draw.moved_images) == len(sizes):
            return draw
        seed += 1


def _bytes(tensor: Tensor) -> int:
    return tensor.untyped_storage().nbytes()
