"""What no clock is needed for: launches, samplings, copies, waits, bytes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from tst_mm.search import MeasuringSearch

from .augmenters import RELAXED, make_augmenter, random_images
from .batches import Shape
from .counters import Launches, NoWaits, WaitError, meta_device, peak_bytes
from .networks import Case


def count_augmenter(shape: Shape) -> dict[str, Any]:
    """Counts of one call of the augmenter.

    On the ``meta`` device: the counts are those of any device.

    Args:
        shape: (B, C, H, W).

    Returns:
        ``default`` as student steps and the measuring search call it, and ``relaxed`` as the
        published search does: launches of a forward pass, and of the relaxed one with its backward
        pass; samplings; copies from the host; bytes of tensors at the peak over those of the
        images.
    """
    return {
        'default augmenter': _counted(shape, False),
        'relaxed augmenter': _counted(shape, True),
    }


def count_on_gpu(shape: Shape, device: torch.device) -> dict[str, dict[str, float]]:
    """What a GPU is given to do in one call of the augmenter, as its profiler sees it.

    Args:
        shape: (B, C, H, W).
        device: The GPU.

    Returns:
        ``augmenter on the GPU``: launches, samplings, and copies from the host.
    """
    augmenter, images = make_augmenter(device), random_images(shape, device)
    augmenter(images)  # the first call compiles the kernel
    torch.cuda.synchronize(device)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        augmenter(images)
        torch.cuda.synchronize(device)
    names = [event.name for event in profiler.events() if event.device_type == DeviceType.CUDA]
    copies = sum(name.startswith('Memcpy') for name in names)
    samplings = sum('grid_sampl' in name or '_augment' in name for name in names)
    counts = {'launches': len(names) - copies, 'samplings': samplings, 'copies': copies}
    return {'augmenter on the GPU': counts}


def step_waits(case: Case) -> dict[str, str]:
    """Where the host would wait for the device in each kind of step.

    On the ``meta`` device, from a batch that lies there already: copying it is the loader's part.

    Args:
        case: Networks and batch.

    Returns:
        ``student`` and ``search``: the first wait in words, or an empty string.
    """
    model = case.build(augmenter=True, batch_mode=0.5)
    # Once in a run, the first look finds out what later ones remember: normalisations that differ,
    # whether losses come image by image, their scales.
    model.objective.update(model.score(case.data(case.shape), 2)['terms'])
    scales = model.objective.scales
    model.objective.scales = {name: scale.to('meta') for name, scale in scales.items()}
    # Draws are made on the host, from a policy that moves between two stages only.
    policy = deepcopy(model.augmenter.policy)
    model.to('meta')
    model.augmenter.policy = policy
    data = model.data_preprocessor(case.data(case.shape), True)
    data['data_samples'] = [sample.to('meta') for sample in data['data_samples']]
    model.data_preprocessor.forward = lambda data, training: data
    measuring = MeasuringSearch()
    measuring.begin(model, 1, 1)

    def student() -> None:
        model.parse_losses(model(**data, mode='loss'))[0].backward()

    def search() -> None:
        measuring.step(data)

    found = {}
    for step in (student, search):
        model.augmenter.reseed(0)
        try:
            with meta_device(), NoWaits():
                step()
            found[step.__name__] = ''
        except WaitError as error:
            found[step.__name__] = str(error)
    return found


def _counted(shape: Shape, relaxed: bool) -> dict[str, float]:
    config, options = (RELAXED, {'relaxed': True}) if relaxed else ({}, {})
    augmenter = make_augmenter(torch.device('cpu'), **config)
    augmenter.normalization.to('meta')
    if relaxed:  # a gradient moves the policy, so it lies on the device
        augmenter.policy.to('meta')
    launches = Launches('meta')
    with meta_device(), NoWaits(), launches, torch.set_grad_enabled(relaxed):
        images, _ = augmenter(torch.empty(shape, device='meta'), **options)
    result: dict[str, float] = {
        'launches': launches.total,
        'samplings': launches.kernels['aten.grid_sampler_2d'],
        'copies': launches.copies,
    }
    if relaxed:
        with meta_device(), NoWaits(), launches:
            images.sum().backward()
        result['launches_with_backward'] = launches.total
    real = make_augmenter(torch.device('cpu'), **config)
    inputs = random_images(shape, torch.device('cpu'))

    def call() -> None:
        with torch.set_grad_enabled(relaxed):
            images = real(inputs, **options)[0]
            if relaxed:
                images.sum().backward()

    return {**result, 'peak_over_images': peak_bytes(call) / inputs.untyped_storage().nbytes()}
