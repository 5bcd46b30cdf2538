"""Mends for mmseg: the name it is installed under, and class weights beside ignored pixels.

MMEngine looks for mmseg under the name of the original distribution only. With
onedl-mmsegmentation installed, ``_base_='mmseg::…'`` fails and ``get_config('mmseg::…')`` runs
``pip install mmsegmentation`` by itself, which overwrites the fork. This mend can go when
onedl-mmengine maps ``mmseg`` to ``onedl-mmsegmentation``.

The cross entropy of mmseg 1.2.2 looks up the class weight of ignored pixels too, and fails; that
of the fork fails so with ``avg_non_ignore``. Pixels from outside of an augmented image are
ignored. This mend can go when both average over the known pixels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any

from tst_mm.compat.versions import installed_version


@contextmanager
def name_of_the_fork(config_utils: ModuleType) -> Iterator[None]:
    """Map ``mmseg`` to the distribution that is installed.

    Args:
        config_utils: The module ``mmengine.config.utils``.
    """
    yield
    if installed_version('onedl-mmsegmentation') and not installed_version('mmsegmentation'):
        config_utils.MODULE2PACKAGE['mmseg'] = 'onedl-mmsegmentation'


@contextmanager
def class_weights_of_known_pixels(losses: ModuleType) -> Iterator[None]:
    """Give the cross entropy its average factor where there are class weights.

    Args:
        losses: The module ``mmseg.models.losses.cross_entropy_loss``.
    """
    yield
    original = losses.cross_entropy

    @wraps(original)
    def cross_entropy(
        pred: Any,
        label: Any,
        weight: Any = None,
        class_weight: Any = None,
        reduction: str = 'mean',
        avg_factor: Any = None,
        ignore_index: int = -100,
        **kwargs: Any,
    ) -> Any:
        if class_weight is not None and reduction == 'mean' and avg_factor is None:
            known = label != ignore_index
            avg_factor = (class_weight[label.where(known, 0)] * known).sum()
        return original(
            pred, label, weight, class_weight, reduction, avg_factor, ignore_index, **kwargs
        )

    losses.cross_entropy = cross_entropy  # type: ignore[attr-defined]
