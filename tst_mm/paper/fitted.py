"""Fitted operators: frozen encoders in the place of closed forms, as the reference augments.

``tools/fit_operators.py`` makes the file of encoders; one made from the embedded images is shipped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tst_mm.augment.operators import ColorOperator, GeometricOperator, ImageInfo, Operator
from tst_mm.registry import OPERATORS
from tst_mm.utils import closest

from .encoders import AffineEncoder, ColorEncoder

#: The shipped encoders, in the published form.
SHIPPED = Path(__file__).with_name('fitted.json')
#: The version of the file format written by :func:`encoders_to_dict`.
ENCODERS_VERSION = 1
Encoder = AffineEncoder | ColorEncoder


def encoder_to_dict(encoder: Encoder, limit: float) -> dict[str, Any]:
    """Give one encoder as plain data, in which numbers keep six digits.

    Args:
        encoder: The encoder, fitted.
        limit: The range of the operator that it imitates: the physical value at magnitude 1.
    """
    values = {
        name: [float(f'{value:.6g}') for value in tensor.flatten().tolist()]
        for name, tensor in encoder.state_dict().items()
    }
    return {'limit': limit, 'terms': encoder.terms, 'values': values}


def encoders_to_dict(encoders: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the content of a file of encoders as plain data, ready for JSON.

    Args:
        encoders: The results of :func:`encoder_to_dict`, by the name of the operator.
        settings: The settings that they were fitted with, for the record.
    """
    return {
        'version': ENCODERS_VERSION,
        'settings': dict(settings),
        'encoders': dict(encoders),
    }


def read_encoders(path: str | Path) -> dict[str, Any]:
    """Read a file of encoders.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no file of encoders, or of another version.
    """
    try:
        data = json.loads(Path(path).read_text())
        version = data['version']
        data['encoders'].keys()
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f'{path} is no file of encoders: {error!r}') from None
    if version != ENCODERS_VERSION:
        raise ValueError(f'{path} has version {version!r}; allowed: {ENCODERS_VERSION}')
    return data


class _Fitted(Operator):
    """What fitted operators share: they take name, range and sign from what they imitate.

    Args:
        imitates: The name of the closed-form operator that is imitated.
        weights: The file of encoders. Defaults to the shipped one.

    Raises:
        KeyError: The file has no encoder of that name, or it is of the other family.
        ValueError: The file cannot be used.
    """

    family: type[Operator]
    kind: type[Encoder]

    def __init__(self, imitates: str, weights: str | Path | None = None) -> None:
        path = Path(weights or SHIPPED)
        fitted = _cached_encoders(path, path.stat().st_mtime_ns)['encoders']
        names = [
            name
            for name in fitted
            if isinstance(found := OPERATORS.module_dict.get(name), type)
            and issubclass(found, self.family)
        ]
        if imitates not in names:
            raise KeyError(
                f'{type(self).__name__} cannot imitate {imitates!r} with {path.name}; '
                f'{closest(imitates, names)}'
            )
        entry = fitted[imitates]
        model = OPERATORS.module_dict[imitates](limit=entry['limit'])
        self.imitates = imitates
        self.limit, self.start, self.unit = model.limit, model.start, model.unit
        self.signed, self.has_magnitude = model.signed, model.has_magnitude
        self.bounds = (self.limit, self.limit)  # an encoder knows one range
        encoder = self.kind(entry['terms']).requires_grad_(False).eval()
        try:
            shapes = {name: tensor.shape for name, tensor in encoder.state_dict().items()}
            encoder.load_state_dict(
                {k: torch.tensor(v).view(shapes[k]) for k, v in entry['values'].items()}
            )
        except (KeyError, RuntimeError) as error:
            raise ValueError(f'{path}: encoder of {imitates} does not fit: {error}') from None
        self._copies: dict[tuple[torch.device, torch.dtype], Any] = {
            (torch.device('cpu'), torch.float32): encoder
        }

    @property
    def name(self) -> str:
        """The name of the imitated operator: to a policy it is the same operator."""
        return self.imitates

    def encoder(self, like: Tensor) -> Any:
        """The encoder on the device and in the dtype of a tensor."""
        key = (like.device, like.dtype)
        if key not in self._copies:
            original = self._copies[torch.device('cpu'), torch.float32]
            self._copies[key] = deepcopy(original).to(like.device, like.dtype)
        return self._copies[key]


@OPERATORS.register_module()
class FittedColor(_Fitted, ColorOperator):
    """A colour operator imitated by a :class:`ColorEncoder`; not the identity at level 0."""

    family, kind = ColorOperator, ColorEncoder

    def apply(self, images: Tensor, level: Tensor, info: ImageInfo) -> Tensor:
        """Apply the encoder, as :meth:`ColorOperator.apply` describes it."""
        encoder = self.encoder(images)
        kernel = encoder.kernel_for(images.shape[1], info.channel_order)
        return info.limited(encoder(images, level.flatten(), info.mask, kernel))


@OPERATORS.register_module()
class FittedGeometric(_Fitted, GeometricOperator):
    """A geometric operator imitated by an :class:`AffineEncoder`; not the identity at level 0.

    It was fitted on squares. On other images it acts as a closed form would: its linear part acts
    in pixels, and its shifts are parts of the sides.
    """

    family, kind = GeometricOperator, AffineEncoder

    def matrix(self, level: Tensor, extents: Tensor) -> Tensor:
        """Give the map of the encoder, as :meth:`GeometricOperator.matrix` describes it."""
        back = self.encoder(level)(level)
        bottom = torch.eye(3, dtype=back.dtype, device=back.device)[2:]
        back = torch.cat((back, bottom.expand(len(back), 1, 3)), dim=1)
        forward = torch.linalg.inv_ex(back).inverse
        half = torch.cat((extents.flip(1).to(back.dtype) / 2, torch.ones_like(back[:, 0, :1])), 1)
        return torch.cat((forward[..., :2], forward[..., 2:] * half[..., None]), dim=2)


@cache
def _cached_encoders(path: Path, changed: int) -> dict[str, Any]:
    """Read a file once, and again only when it has changed."""
    return read_encoders(path)
