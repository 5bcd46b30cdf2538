"""Look at a trained distiller: what its augmenter does to images, and who is sure of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from mmengine.dist import all_reduce

from tst_mm.models.modes import frozen, heads_in_training
from tst_mm.models.objectives import Confidence

from .distribution import IMAGES, NETWORKS, Distribution
from .examples import Examples

#: The number of parts into which a histogram divides [0, 1].
BINS = 20


@torch.no_grad()
def probe(
    model: Any,
    batches: Iterable[Any],
    images: int,
    classes: Sequence[str] = (),
    palette: Sequence[Sequence[int]] = (),
    iteration: int = 0,
    reseed: Callable[[int], None] = lambda step: None,
) -> tuple[Examples, Distribution | None]:
    """Ask teacher and student for their confidence on images, original and augmented.

    Nothing of the model changes: weights, statistics and training flags are as before. Where a
    run has several processes all of them must call it with as many batches, because some heads
    average over processes; the distribution is then over all of them.

    Args:
        model: The distiller, which has an augmenter, unwrapped.
        batches: The batches, as the training loader gives them.
        images: The number of images to keep as examples, of this process.
        classes: The class names of the data set. Defaults to none.
        palette: The RGB colours of the classes, 0 to 255. Defaults to none, for the colours of the
            figure.
        iteration: The number of student iterations done. Defaults to 0.
        reseed: A function that is called with the index of each batch before it is augmented.
            Defaults to one that does nothing.

    Returns:
        The examples, and the distribution; None in its place where there was no batch, or where a
        network has no confidence in one truth (its ``confidence_loss`` is None).
    """
    examples = Examples(images, classes, palette=palette)
    watched = {name: model.confidence_loss(_network(model, name)) for name in NETWORKS}
    meters = {
        (kind, network): Confidence(*watched[network], bins=BINS)
        for kind in IMAGES
        for network in NETWORKS
        if None not in watched.values()
    }
    count = 0
    with frozen(model.student), heads_in_training(model.student):
        for step, batch in enumerate(batches):
            data = model.data_preprocessor(batch, True)
            inputs, samples = data['inputs'], data['data_samples']
            reseed(step)
            augmented, draw = model.augmenter(inputs, model.valid_sizes(inputs, samples))
            moved = model.move_labels(samples, draw)
            examples.add(model, inputs, samples, augmented, moved, draw)
            pairs = (('original', inputs, samples), ('augmented', augmented, moved))
            for kind, given, labels in pairs if meters else ():
                with ExitStack() as stack:
                    for network in NETWORKS:
                        stack.enter_context(meters[kind, network])
                    model.student(given, labels, mode='loss')
                    seen_by_teacher = model.teacher.inputs(given, model.augmenter.normalization)
                    model.teacher.losses(seen_by_teacher, labels)
            count += len(draw)
    if not count or not meters:
        return examples, None
    return examples, _collect(meters, count, inputs.device, iteration)


def _network(model: Any, name: str) -> Any:
    return model.teacher.model if name == 'teacher' else model.student


def _collect(
    meters: dict[tuple[str, str], Confidence], count: int, device: torch.device, iteration: int
) -> Distribution:
    """Add the sums of all processes up, in one exchange, to a distribution."""
    histograms = torch.stack([meter.histogram.to(device) for meter in meters.values()])
    values = torch.stack([meter.value.to(histograms) for meter in meters.values()])
    sums = torch.cat((histograms, (values * histograms.sum(1))[:, None]), dim=1)
    images = torch.tensor([count], device=device)
    for total in (sums, images):
        all_reduce(total, 'sum')
    counts: dict[str, dict[str, list[float]]] = {kind: {} for kind in IMAGES}
    means: dict[str, dict[str, float]] = {kind: {} for kind in IMAGES}
    for (kind, network), row in zip(meters, sums.tolist(), strict=True):
        *histogram, total = row
        counts[kind][network] = histogram
        means[kind][network] = total / max(sum(histogram), 1)
    return Distribution(iteration, int(images), counts, means)
