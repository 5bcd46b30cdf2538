"""FrozenTeacher: a trained network that is asked and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from pickle import UnpicklingError
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from tst_mm.augment import Normalization
from tst_mm.utils import reject_unknown_keys, require_mapping
from tst_mm.utils.checkpoints import read_checkpoint

from .build import build_model
from .modes import heads_in_training

#: The value of ``checkpoint`` that keeps the initial weights.
RANDOM = 'random'
#: No weight is initialised to this.
_LARGEST = 1e6


class FrozenTeacher:
    """The teacher: built, loaded loudly, evaluating, without gradients into its weights.

    It is no ``nn.Module``, so that it is no part of the state dict, of EMA copies, of distributed
    wrappers or of any optimiser. It follows the device and the dtype of its distiller.

    Args:
        config: The network, as ``dict(cfg_path='mmdet::...' or a file, checkpoint=...)`` or
            ``dict(model=dict(...), checkpoint=...)``. ``checkpoint`` is a path or address;
            ``'random'`` keeps the initial weights, for tests. ``allow_partial=True`` accepts a
            checkpoint that does not fit wholly.
        data_preprocessor: The preprocessor of a model that has none; see :func:`build_model`.
            Defaults to None.

    Attributes:
        model (nn.Module): The network, always in evaluation mode.
        trained (bool): Whether its weights are those of a checkpoint.
        reader (nn.Module | None): The head of a classifier, namely the student's, that computes
            losses of this network's logits where the network cannot do that itself: it was trained
            on labels of another kind, or has two heads (DeiT, LeViT), which mmpretrain does not
            train. Else None.
        normalization (Normalization): The normalisation of its input.

    Raises:
        KeyError: ``config`` has an unknown key or lacks the model or the checkpoint.
        FileNotFoundError: The config or the checkpoint does not exist.
        TypeError: An entry is of another kind.
        ValueError: The checkpoint does not fit the model.
    """

    def __init__(
        self, config: Mapping[str, Any], data_preprocessor: Mapping[str, Any] | None = None
    ) -> None:
        require_mapping('teacher', config)
        reject_unknown_keys('teacher', config, ('cfg_path', 'model', 'checkpoint', 'allow_partial'))
        if ('cfg_path' in config) == ('model' in config):
            raise KeyError('teacher needs either "cfg_path" or "model"')
        if config.get('checkpoint') is None:
            raise KeyError('teacher needs "checkpoint": a path, an address, or "random" for tests')
        source = config['model'] if 'model' in config else {'cfg_path': config['cfg_path']}
        self.model = build_model('teacher', source, data_preprocessor)
        self.trained = config['checkpoint'] != RANDOM
        if not self.trained:
            _set_what_is_unset(self.model)
            print_log('teacher: random weights, as "checkpoint" says', 'current', 30)
        else:
            load_weights(
                self.model, config['checkpoint'], config.get('allow_partial', False), 'teacher'
            )
        self.model.requires_grad_(False).eval()
        self.reader: Any = None
        self.normalization = Normalization.from_data_preprocessor(self.model.data_preprocessor)

    def __deepcopy__(self, memo: dict) -> FrozenTeacher:
        """Copies of a distiller, such as an EMA model, share the teacher."""
        return self

    def apply_(self, function) -> None:
        """Follow a move to another device or dtype (see ``nn.Module._apply``)."""
        self.model._apply(function)
        # The dtype stays: in half precision a mean of 123.675 would become another mean.
        self.normalization.to(next(self.model.parameters()).device)

    def inputs(self, inputs: Tensor, normalization: Normalization) -> Tensor:
        """Turn a batch, (B, C, H, W), of the student into one of the teacher; no copy if equal."""
        if self.normalization is normalization or self._same(normalization):
            return inputs
        return normalization.convert(inputs, self.normalization).to(inputs.dtype)

    def losses(self, inputs: Tensor, data_samples: list) -> dict[str, Any]:
        """Compute the teacher's ordinary losses, differentiable in the inputs.

        Raises:
            ValueError: The teacher cannot compute losses from the student's labels.
        """
        try:
            with heads_in_training(self.model):
                return self.model(inputs, data_samples, mode='loss')
        except (AssertionError, AttributeError, KeyError, NotImplementedError, TypeError) as error:
            reader = getattr(self.reader, '_get_loss', None)
            if reader is not None:
                return reader(self.model(inputs, mode='tensor'), data_samples)
            kind = type(self.model).__name__
            reason = ' '.join(str(error).split())
            raise ValueError(
                f'teacher: {kind} cannot compute its losses from the labels of the student '
                f'({type(error).__name__}: {reason}); allowed: a teacher that trains on the same '
                f'kinds of labels, or labels that it needs added to the data set (masks, maps)'
            ) from error

    def _same(self, normalization: Normalization) -> bool:
        """Compare once and keep the answer, which does not change."""
        if getattr(self, '_compared', None) is not normalization:
            self._compared = normalization
            self._equal = self.normalization.same_as(normalization)
        return self._equal


@torch.no_grad()
def _set_what_is_unset(model: nn.Module) -> None:
    """Draw weights that a network leaves as its memory was until it is trained or loaded.

    The level embeddings of DETRs are such, which may then be no numbers, or huge ones. As that
    differs from run to run, the global random numbers are left alone.
    """
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        if weight.numel() and not weight.abs().amax() < _LARGEST:
            weight.copy_(torch.randn(weight.shape, generator=generator))


def load_weights(model: nn.Module, checkpoint: str, allow_partial: bool, what: str) -> None:
    """Load a checkpoint into a model, telling how much of it was used.

    Args:
        model: The model that the weights go to.
        checkpoint: The path or address of a checkpoint, of weights alone or of a whole run.
        allow_partial: Whether missing, unexpected and misshapen entries are accepted, with a
            warning.
        what: The name of the model for messages (``'teacher'``).

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: ``checkpoint`` is no string.
        ValueError: The file is broken, holds no weights or more than that; or something does not
            fit and ``allow_partial`` is off.
    """
    loaded = _read(checkpoint, what)
    weights = loaded.get('state_dict', loaded)
    if not isinstance(weights, Mapping):
        raise ValueError(f'{what}: {checkpoint} holds no weights')
    weights = {
        str(key).removeprefix('module.'): value
        for key, value in weights.items()
        if isinstance(value, Tensor)
    }
    expected = model.state_dict()
    missing = [k for k in expected if k not in weights and not k.endswith('num_batches_tracked')]
    unexpected = [
        key for key in weights if key not in expected and not _is_copy(key, weights, expected)
    ]
    misshapen = [
        f'{key} {tuple(weights[key].shape)} for {tuple(expected[key].shape)}'
        for key in expected
        if key in weights and weights[key].shape != expected[key].shape
    ]
    fits = {k: v for k, v in weights.items() if k in expected and v.shape == expected[k].shape}
    found = f'{what}: {len(fits)} of {len(expected)} tensors loaded from {checkpoint}'
    faults = [
        f'{len(names)} {kind} ({", ".join(names[:3])}{", ..." if len(names) > 3 else ""})'
        for kind, names in (
            ('missing', missing),
            ('unexpected', unexpected),
            ('of another shape', misshapen),
        )
        if names
    ]
    if faults and not (allow_partial and fits):
        raise ValueError(f'{found}; {"; ".join(faults)}; allow_partial=True accepts this')
    with torch.no_grad():
        model.load_state_dict(fits, strict=False)
    print_log('; '.join([found, *faults]), 'current', 30 if faults else 20)


def _is_copy(key: str, weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> bool:
    """Whether an entry is that of a layer which the model has in another place, too.

    DDQ-DETR, for one, gives its decoder the head's layers when it first trains.
    """
    end = key[key.find('.') :]
    return any(
        name.endswith(end) and name in weights and torch.equal(weights[name], weights[key])
        for name in expected
    )


def _read(checkpoint: Any, what: str) -> dict[str, Any]:
    """Content of a checkpoint, which is not executed; errors begin with ``what``."""
    if not isinstance(checkpoint, str):
        raise TypeError(f'{what}: checkpoint is {checkpoint!r}; allowed: a path or an address')
    try:
        if '://' in checkpoint:
            return CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
        return read_checkpoint(checkpoint)
    except FileNotFoundError as error:
        raise FileNotFoundError(f'{what}: no checkpoint {checkpoint!r}') from error
    except (ValueError, UnpicklingError) as error:
        raise ValueError(f'{what}: {error}') from error
