"""ClassificationDistiller: TST over any mmpretrain classifier."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from tst_mm.registry import MODELS

from ..objectives import is_sigmoid
from ..unchanged import unchanged
from .base import BaseDistiller
from .image_losses import LossesOf, at_once, one_by_one
from .kd import compare


@MODELS.register_module()
class ClassificationDistiller(BaseDistiller):
    """Distils an mmpretrain classifier; see :class:`BaseDistiller` for the arguments.

    By default the class logits are distilled with ``KLDivergence`` at temperature 4 and weight 1
    (paper, CIFAR), that is ``CE + T^2 KL(teacher || student)`` over clean and augmented images;
    those of independent sigmoids (multi-label heads) with :class:`BinaryKLDivergence`.

    Example:
        >>> model = dict(
        ...     type='tst_mm.ClassificationDistiller',
        ...     student=dict(cfg_path='mmpretrain::resnet/resnet18_8xb32_in1k.py'),
        ...     teacher=dict(
        ...         cfg_path='mmpretrain::resnet/resnet34_8xb32_in1k.py',
        ...         checkpoint='resnet34.pth'),
        ...     augmenter=dict(type='tst_mm.LearnedAugmenter'))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: By what computes losses whether it gives those of single images in one pass.
        self._whole: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()

    def check_pair(self) -> None:
        """Both must tell the same number of classes apart."""
        classes = {
            name: _logits(name, model)[1]
            for name, model in (('student', self.student), ('teacher', self.teacher.model))
        }
        if classes['student'] != classes['teacher']:
            raise ValueError(
                f'teacher has {classes["teacher"]} classes, student {classes["student"]}; '
                f'allowed: the same number'
            )

    def default_kd(self) -> dict[str, Any]:
        """Kullback-Leibler divergence of the class logits."""
        if is_sigmoid(self.student.head.loss_module):
            loss = {'type': 'tst_mm.BinaryKLDivergence'}
        else:
            loss = {'type': 'KLDivergence', 'tau': 4, 'loss_weight': 1.0}
        sources = (_logits('student', self.student)[0], _logits('teacher', self.teacher.model)[0])
        return compare('kd', *sources, loss)

    def image_losses(
        self, losses_of: LossesOf, inputs: Tensor, data_samples: list, modules: nn.Module
    ) -> dict[str, Tensor]:
        """From one pass where the loss modules can, which is much faster on small images.

        Whether they can is found out once, on the first two images, and remembered.
        """
        whole = self._whole.get(modules)
        if whole is None:
            whole = self._whole[modules] = self._gives_single(
                losses_of, inputs, data_samples, modules
            )
        if whole:
            found = at_once(losses_of, inputs, data_samples, modules)
            assert found is not None
            return found
        return one_by_one(losses_of, inputs, data_samples)

    def _gives_single(
        self, losses_of: LossesOf, inputs: Tensor, data_samples: list, modules: nn.Module
    ) -> bool:
        """Whether one pass gives the losses of single images; leaves no trace."""
        images, samples = inputs[:2], data_samples[:2]
        # In full precision: half of it would tell a pass of two images from two passes.
        with (
            unchanged(self.student, self.teacher.model, self.distiller),
            torch.autocast(inputs.device.type, enabled=False),
        ):
            found = at_once(losses_of, images, samples, modules)
            if found is None:
                return False
            single = one_by_one(losses_of, images, samples)
        return all(torch.allclose(found[name], single[name], 1e-3, 1e-4) for name in single)

    def confidence_loss(self, model: nn.Module) -> tuple[nn.Module, int]:
        """The head's loss module, over all classes."""
        who = 'student' if model is self.student else 'teacher'
        return model.head.loss_module, _logits(who, model)[1]


def _logits(who: str, model: nn.Module) -> tuple[str, int]:
    """Dotted name and width of the layer that gives the class logits: the head's last linear one.

    Raises:
        ValueError: The head has no linear layer.
    """
    head = getattr(model, 'head', None)
    layers = [] if head is None else list(head.named_modules())
    for name, layer in reversed(layers):
        if isinstance(layer, nn.Linear):
            return f'head.{name}', layer.out_features
    raise ValueError(
        f'{who}: {type(model).__name__} with head {type(head).__name__} has no linear layer in '
        f'its head; allowed: mmpretrain classifiers whose head ends in one (LinearClsHead, ...)'
    )
