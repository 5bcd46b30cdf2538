"""The matrix: which tasks, which methods. Everything else follows from these two tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tst_mm.augment.operators import DEFAULT_OPERATORS


@dataclass(frozen=True)
class Task:
    """What a student learns, and for how long.

    Attributes:
        title: What tables call it.
        data: The folder of the images.
        images: How many training images the student sees; the seed of a run chooses which.
        budget: The cost of a run, in steps of plain KD.
        mirrors: Whether the usual augmentation mirrors images, beside shifts. Defaults to True.
        usual: Whether there is the usual augmentation in every method. Defaults to True; a task
            without is apart from the headline.
        teacher_steps: Steps of the teacher, on half as many images again as a batch of the
            student; it sees all training images. Defaults to 4,000.
        batch: The number of images of a step. Defaults to 64.
        depths: The depths of student and teacher where they are ResNets of CIFAR, for a GPU; such
            a task is apart from the headline. None (default) takes networks of four convolutions.
    """

    title: str
    data: str
    images: int
    budget: int
    mirrors: bool = True
    usual: bool = True
    teacher_steps: int = 4000
    batch: int = 64
    depths: tuple[int, int] | None = None

    @property
    def in_headline(self) -> bool:
        """Whether it is one of those that the headline compares methods on."""
        return self.usual and self.depths is None


@dataclass(frozen=True)
class Method:
    """How the student is taught beside plain distillation.

    Attributes:
        title: What tables call it.
        fraction: The fraction of a batch that is augmented; None where it is adaptive. Defaults to
            0.
        augment: What augments: ``'policy'`` (default), ``'trivialaugment'``, ``'randaugment'``,
            ``'mixup'``, ``'cutmix'``, or ``'paper'``, all of TST as it was published.
        strength: The magnitude of RandAugment, of 30. Defaults to 0.
        stages: The number of stages of the search. Defaults to 0, no search.
        search: Arguments of :class:`tst_mm.search.MeasuringSearch`.
        objective: The objective of the search; ``'influence'`` is how far a step on an image lowers
            the losses of held-out images, by the gradients of the last layer, which forward passes
            give (an idea that is tried here, and not part of the package).
        mean_scales: Whether the student's weakness is that of losses at their running means, not of
            cross entropies. Defaults to False.
        target: The target of the adaptive amount. Defaults to 0.2.
        label_weight: The weight of the label's loss. Defaults to 1.
        trust: Whether labels count as far as the teacher believes them. Defaults to False.
        rival: Whether users would do it without this project. Defaults to False.
        augmenter: Arguments of the augmenter of a policy, in place of its defaults.
    """

    title: str
    fraction: float | None = 0.0
    augment: str = 'policy'
    strength: int = 0
    stages: int = 0
    search: dict[str, Any] = field(default_factory=dict)
    objective: str = 'TeachingObjective'
    mean_scales: bool = False
    target: float = 0.2
    label_weight: float = 1.0
    trust: bool = False
    rival: bool = False
    augmenter: dict[str, Any] = field(default_factory=dict)


TASKS = {
    'cifar_1k': Task('CIFAR-10, 1,000 images', 'cifar10', 1000, 1500),
    'cifar_50k': Task('CIFAR-10, 50,000 images, 2.6 epochs', 'cifar10', 50000, 2000),
    'fashion_300': Task('Fashion-MNIST, 300 images', 'fashion_mnist', 300, 1000),
    'fashion_60k': Task('Fashion-MNIST, 60,000 images, 1.6 epochs', 'fashion_mnist', 60000, 1500),
    'land_cover': Task('land-cover patches, 600 images', 'land_cover_patches', 600, 1500),
    'cifar_1k_bare': Task('CIFAR-10, 1,000 images as they are', 'cifar10', 1000, 1500, usual=False),
    'cifar_50k_bare': Task(
        'CIFAR-10, 50,000 images as they are, 2.6 epochs', 'cifar10', 50000, 2000, usual=False
    ),
    'cifar_full': Task(
        'CIFAR-10, 40 epochs, ResNet-20 by ResNet-56',
        'cifar10',
        50000,
        40 * 196,
        teacher_steps=30 * 131,
        batch=256,
        depths=(20, 56),
    ),
    'digits': Task('digits, 50 images', 'digits', 50, 1000, mirrors=False, teacher_steps=1500),
}

_STAGES = 5  # as ``tst_mm.engine.schedule.stages.DEFAULT_STAGES`` has it


def _searched(title: str, fraction: float | None = None, **changes: Any) -> Method:
    return Method(title, fraction, stages=_STAGES, **changes)


METHODS = {
    'kd': Method('KD', rival=True),
    'random-half': Method('KD + untrained policy, half of the images', 0.5, rival=True),
    'random': Method('KD + untrained policy, all images', 1.0, rival=True),
    **{
        f'randaugment-{strength}': Method(
            f'KD + RandAugment, strength {strength}', 1.0, 'randaugment', strength, rival=True
        )
        for strength in (5, 9, 14)
    },
    'trivialaugment': Method('KD + TrivialAugment', 1.0, 'trivialaugment', rival=True),
    'mixup': Method('KD + MixUp', 1.0, 'mixup', rival=True),
    'cutmix': Method('KD + CutMix', 1.0, 'cutmix', rival=True),
    'paper': Method('TST as published', 1.0, 'paper', stages=4),
    'paper-mended': Method(
        "TST as published, the augmenter's preset 'recommended'",
        1.0,
        'paper',
        stages=4,
        augmenter=dict(preset='recommended'),
    ),
    'tst': _searched('TST'),
    'amount': Method('TST, amount only', None),
    'policy': _searched('TST, policy only, all images', 1.0),
    'policy-half': _searched('TST, policy only, half of the images', 0.5),
    'tst-disagreement': _searched('TST, disagreement', objective='DisagreementObjective'),
    'tst-confidence': _searched('TST, confidence', objective='ConfidenceObjective'),
    'tst-influence': _searched('TST, influence', objective='influence'),
    'policy-half-influence': _searched(
        'TST, influence, policy only, half of the images', 0.5, objective='influence'
    ),
    'tst-cool': _searched('TST, temperature 0.5', search=dict(temperature=0.5)),
    'tst-warm': _searched('TST, temperature 2', search=dict(temperature=2.0)),
    'tst-target-0.1': _searched('TST, target 0.1', target=0.1),
    'tst-target-0.3': _searched('TST, target 0.3', target=0.3),
    'tst-trust': _searched('TST, labels by trust', trust=True),
    'tst-label-half': _searched('TST, labels at half weight', label_weight=0.5),
    'kd-trust': Method('KD, labels by trust', trust=True),
    'kd-label-half': Method('KD, labels at half weight', label_weight=0.5),
}

# The default before: the student's losses at their running means, stages forgotten sooner.
METHODS.update(
    {
        f'{name}-before': replace(
            METHODS[name],
            title=f'{METHODS[name].title}, as before',
            mean_scales=True,
            search=dict(forgetting=0.7),
        )
        for name in ('tst', 'policy', 'policy-half')
    }
)

_WITHOUT = [name for name in DEFAULT_OPERATORS if name not in ('Invert', 'Cutout')]
# What the prior was before, and what was tried on the way to the present one.
_PRIORS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    'four': (
        'four operators at 0.5',
        dict(num_ops=4, init=dict(rate=0.5)),
        tuple(
            name
            for name, method in METHODS.items()
            if method.augment == 'policy' and not method.mean_scales
        ),
    ),
    'two': ('two operators at 0.5', dict(init=dict(rate=0.5)), ('random-half', 'tst')),
    'without': (
        'two of twelve operators, without Invert and Cutout',
        dict(operators=_WITHOUT),
        ('tst',),
    ),
    'always': (
        'two of twelve operators at 1, without Invert and Cutout',
        dict(operators=_WITHOUT, init=dict(rate=1.0)),
        ('random-half', 'random'),
    ),
}
METHODS.update(
    {
        f'{name}-{prior}': replace(
            METHODS[name],
            title=f'{METHODS[name].title}; {words}',
            augmenter=changes,
            rival=False,
            mean_scales=True,
        )
        for prior, (words, changes, names) in _PRIORS.items()
        for name in names
    }
)
