"""What parts of a run carry from step to step in plain attributes, where no checkpoint sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.model import BaseDataPreprocessor
from mmengine.runner import Runner
from torch import nn

from tst_mm.engine.data.kept_images import keepers

_PLAIN = (bool, int, float, str, type(None))


class CarriedState:
    """The attributes of batch augments that change while a run trains.

    mmdet's ``BatchSyncRandomResize`` keeps the size of the next images like that.

    Args:
        model: Of a run, unwrapped, before it has trained.
    """

    def __init__(self, model: nn.Module) -> None:
        self.parts = list(_batch_augments(model))
        self._initial = self.snapshot()

    def snapshot(self) -> list[dict[str, Any]]:
        """All plain attributes of all parts as they are now."""
        return [
            {name: value for name, value in vars(part).items() if _is_plain(value)}
            for part in self.parts
        ]

    def restore(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Put attributes back to a snapshot, or to what :meth:`state` gave."""
        for part, state in zip(self.parts, states, strict=False):
            for name, value in state.items():
                setattr(part, name, value)

    def state(self) -> list[dict[str, Any]]:
        """What has changed since the run was built; the rest may differ between ranks."""
        return [
            {name: value for name, value in now.items() if initial.get(name, part) != value}
            for part, now, initial in zip(self.parts, self.snapshot(), self._initial, strict=True)
        ]


def what_is_not_exact(runner: Runner) -> list[str]:
    """Parts of a run that start anew when it is resumed, in words."""
    found = []
    for hook in runner.hooks:
        if isinstance(hook, EarlyStoppingHook):
            found.append('the patience of EarlyStoppingHook')
        if isinstance(hook, CheckpointHook) and not hook.save_optimizer:
            found.append('the optimiser, which save_optimizer=False leaves out of checkpoints')
        if isinstance(hook, CheckpointHook) and not hook.save_param_scheduler:
            found.append('the learning rate, which save_param_scheduler=False leaves out')
    kept = keepers(runner.train_dataloader.dataset)
    names = dict.fromkeys(type(transform).__name__ for transform in kept)
    return [*found, *(f'inside of an epoch, the images that {name} keeps' for name in names)]


def _batch_augments(model: nn.Module) -> Iterator[Any]:
    for module in model.modules():
        if isinstance(module, BaseDataPreprocessor):
            augments = getattr(module, 'batch_augments', None) or []
            yield from augments if isinstance(augments, (list, nn.ModuleList)) else [augments]


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_is_plain(item) for item in value)
    return isinstance(value, _PLAIN)
