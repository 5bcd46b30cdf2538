"""Where a network's class logits are: found in a dry run, by what its heads give.

Each function returns :class:`Logits`, or in words why there are none that could be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..objectives import is_sigmoid
from .dry_run import DryRun, Source

#: Part of every network whose class logits are compared on regions: its box head's class logits.
REGION_EXTRACTOR = 'roi_head.bbox_roi_extractor'


@dataclass(frozen=True)
class Logits:
    """Class logits of one head.

    Attributes:
        head (str): Dotted name of the head.
        source (Source): The module that gives them, or a list of them for the levels.
        shapes (tuple[tuple[int, ...], ...]): Of the levels, or of the one tensor.
        activation (str): ``'softmax'``, ``'sigmoid'``, or ``'probability'`` where a sigmoid has
            acted already.
        channels (int): Classes of a place, with the background where it is one of them.
    """

    head: str
    source: Source
    shapes: tuple[tuple[int, ...], ...]
    activation: str
    channels: int


def stages(model: nn.Module, name: str) -> list[tuple[str, nn.Module]]:
    """A head, or all heads of a cascade, with their dotted names."""
    head = model
    for part in name.split('.'):
        head = getattr(head, part, None)
    if isinstance(head, nn.ModuleList):
        return [(f'{name}.{i}', stage) for i, stage in enumerate(head)]
    return [] if head is None else [(name, head)]


# Classifiers ------------------------------------------------------------------------------------


def class_logits(model: nn.Module, run: DryRun | None) -> dict[str, Logits] | str:
    """Logits of a classifier; by task where its head has several, else under ``''``."""
    if run is None:
        return _last_linear(model)
    result = run.result if isinstance(run.result, dict) else {'': run.result}
    found = {}
    for task, tensor in result.items():
        source = None
        if isinstance(tensor, Tensor) and tensor.dim() == 2:
            source = run.source(tensor)
        if source is None:
            return _last_linear(model)
        head = f'head.task_heads.{task}' if task else 'head'
        loss = class_loss(model, task)
        activation = 'sigmoid' if loss is not None and is_sigmoid(loss) else 'softmax'
        shape = tuple(tensor.shape)
        found[task] = Logits(head, source, (shape,), activation, shape[1])
    return found


def class_loss(model: nn.Module, task: str = '') -> nn.Module | None:
    """The loss module of a classifier, or of one of its tasks; None where it has none."""
    head = getattr(model, 'head', None)
    if task:
        head = head.task_heads[task]
    return getattr(head, 'loss_module', getattr(model, 'loss_module', None))


def _last_linear(model: nn.Module) -> dict[str, Logits] | str:
    """The last linear layer of the head, where a dry run tells nothing."""
    head = getattr(model, 'head', None)
    loss = class_loss(model)
    for name, layer in reversed([] if head is None else list(head.named_modules())):
        if isinstance(layer, nn.Linear):
            source = Source(f'head.{name}' if name else 'head')
            activation = 'sigmoid' if loss is not None and is_sigmoid(loss) else 'softmax'
            width = layer.out_features
            return {'': Logits('head', source, ((1, width),), activation, width)}
    return (
        f'{type(model).__name__} with head {type(head).__name__} gives no class logits: no tensor '
        f'of (B, classes), and no linear layer in its head'
    )


# Segmentors -------------------------------------------------------------------------------------


def run_pixel_heads(network: nn.Module, image: Tensor) -> dict[str, Any]:
    """What each decode and auxiliary head gives; heads that fail alone are left out."""
    features = network.extract_feat(image)
    found: dict[str, Any] = {}
    before: tuple = ()
    for name, head in stages(network, 'decode_head'):
        with suppress(Exception):
            found[name] = head.forward(features, *before)
        before = (found.get(name),)
    for name, head in stages(network, 'auxiliary_head'):
        with suppress(Exception):
            found[name] = head.forward(features)
    return found


def pixel_logits(model: nn.Module, run: DryRun | None, kind: str) -> Logits | str:
    """Logits per pixel of the last decode head, or of the first auxiliary head, that has any.

    Args:
        model: An encoder-decoder.
        run: Its dry run with :func:`run_pixel_heads`.
        kind: ``'decode_head'`` or ``'auxiliary_head'``.
    """
    heads = stages(model, kind)
    for name, head in reversed(heads) if kind == 'decode_head' else heads:
        if run is None:
            source = Source(f'{name}.conv_seg') if hasattr(head, 'conv_seg') else None
            channels = getattr(head, 'out_channels', None)
            shape: tuple[int, ...] = (1, channels, 0, 0)
        else:
            output = run.result.get(name)
            if not isinstance(output, Tensor) or output.dim() != 4:
                continue
            source, shape = run.source(output, inside=name), tuple(output.shape)
            channels = shape[1]
        if source is not None and channels == getattr(head, 'out_channels', channels):
            loss = getattr(head, 'loss_decode', None)
            loss = loss[0] if isinstance(loss, nn.ModuleList) else loss
            sigmoid = channels == 1 or (loss is not None and is_sigmoid(loss))
            return Logits(name, source, (shape,), 'sigmoid' if sigmoid else 'softmax', channels)
    kinds = ', '.join(type(head).__name__ for _, head in heads) or 'none'
    return f'{type(model).__name__} has no {kind} ({kinds}) that ends in a layer of class logits'


# Detectors --------------------------------------------------------------------------------------


def run_box_heads(network: nn.Module, image: Tensor) -> dict[str, Any]:
    """What the dense head and the (first) region head give; heads that fail are left out."""
    features = network.extract_feat(image)
    found: dict[str, Any] = {}
    if isinstance(getattr(network, 'bbox_head', None), nn.Module):
        with suppress(Exception):
            found['bbox_head'] = network.bbox_head(features)
    if has_regions(network):
        height, width = image.shape[-2:]
        rois = image.new_tensor([[0, 0, 0, width / 2, height / 2]])
        with suppress(Exception):
            found['roi_head'] = box_forward(network, features, rois)
    return found


def has_regions(model: nn.Module) -> bool:
    """Whether a detector has a region head."""
    return getattr(model, 'roi_head', None) is not None


def box_forward(model: nn.Module, features: Any, rois: Tensor) -> dict[str, Any]:
    """Run a region head on regions; of a cascade its first stage, which trains on proposals."""
    stage = (0,) if isinstance(model.roi_head.bbox_head, nn.ModuleList) else ()
    return model.roi_head._bbox_forward(*stage, features, rois)


def region_logits(model: nn.Module, run: DryRun | None) -> Logits | str:
    """Class logits of the (first) box head of a region head."""
    kind = type(model).__name__
    if not has_regions(model):
        return f'{kind} has no roi_head'
    heads = stages(model, 'roi_head.bbox_head')
    name, head = heads[0] if heads else ('roi_head', None)
    loss = getattr(head, 'loss_cls', None)
    if getattr(loss, 'custom_activation', False):
        return f"{type(loss).__name__}, of {kind}'s roi_head, has an activation of its own"
    if run is None:
        source = (
            Source(f'{name}.fc_cls')
            if isinstance(getattr(head, 'fc_cls', None), nn.Linear)
            else None
        )
        width = head.fc_cls.out_features if source else 0
    else:
        logits = run.result.get('roi_head', {}).get('cls_score')
        source = run.source(logits, 'roi_head') if isinstance(logits, Tensor) else None
        width = logits.shape[-1] if source else 0
    if source is None:
        return f"{kind}'s roi_head ({type(head).__name__}) gives no class logits of given regions"
    activation = 'sigmoid' if loss is not None and is_sigmoid(loss) else 'softmax'
    return Logits(name, source, ((1, width),), activation, width)


def dense_logits(model: nn.Module, run: DryRun | None) -> Logits | str:
    """Class logits of the dense head, one tensor a level."""
    kind = type(model).__name__
    head = getattr(model, 'bbox_head', None)
    if has_regions(model) or head is None:
        return f'{kind} has no dense bbox_head'
    what = f"{kind}'s bbox_head ({type(head).__name__})"
    classes = getattr(head, 'cls_out_channels', getattr(head, 'num_classes', None))
    loss = getattr(head, 'loss_cls', None)
    if not isinstance(classes, int) or (loss is None and not hasattr(head, 'use_sigmoid_cls')):
        return f'{what} has no loss_cls of num_classes'
    # SSD's loss is a function; losses of heat maps do not speak of a sigmoid, which they take.
    softmax = not (head.use_sigmoid_cls if loss is None else getattr(loss, 'use_sigmoid', True))
    activation = 'softmax' if softmax else 'sigmoid'
    if run is None:
        return Logits('bbox_head', Source('bbox_head', 0), (), activation, classes)
    output = run.result.get('bbox_head')
    levels = output[0] if isinstance(output, (tuple, list)) and output else None
    if not isinstance(levels, (tuple, list)) or not all(
        isinstance(level, Tensor) and level.dim() == 4 for level in levels
    ):
        return f'{what} gives no class maps level by level'
    for level, anchors in zip(levels, _anchors(head, len(levels)), strict=True):
        if level.shape[1] % classes or anchors not in (None, level.shape[1] // classes):
            return f'{what} mixes class logits with others'
    if not softmax and all(level.min() >= 0 and level.max() <= 1 for level in levels):
        activation = 'probability'
    shapes = tuple(tuple(level.shape) for level in levels)
    return Logits('bbox_head', Source('bbox_head', 0), shapes, activation, classes)


def _anchors(head: nn.Module, levels: int) -> Iterator[int | None]:
    """Anchors a place of each level, where the head knows them."""
    known = getattr(head, 'num_base_priors', None)
    if isinstance(known, (list, tuple)) and len(known) == levels:
        yield from known
    else:
        yield from [known if isinstance(known, int) else None] * levels


def num_classes(model: nn.Module) -> tuple[str, int] | None:
    """The head that classifies objects (of a cascade, the last) and how many classes it has."""
    for name in ('roi_head.bbox_head', 'bbox_head', 'mask_head', 'panoptic_head'):
        for where, head in reversed(stages(model, name)):
            if isinstance(getattr(head, 'num_classes', None), int):
                return where, head.num_classes
    return None
