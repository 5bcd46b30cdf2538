"""The matrix: which tasks, which methods. Everything else follows from these two tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from tst_mm.augment.operators import DEFAULT_OPERATORS

_ROOT = Path(__file__).resolve().parents[2]
_CONFIGS = 'benchmarks/accuracy/configs'


@dataclass(frozen=True)
class Task:
    """What a student learns, from whom, and how long.

    Attributes:
        title: What tables call it.
        about: The data and the networks in words.
        data: The name of the data; tasks of the same data share a teacher.
        student: The config of the student alone, from the repository's root.
        teacher: The config of the teacher, from the repository's root.
        distiller: The class of the distiller.
        images: How many training images the student sees; the seed of a run chooses which.
        budget: What a run may cost, in steps of plain KD.
        metric: The name of the metric in MMEngine's scalars.
        head: What tables call the metric.
        scale: What the metric is multiplied by to be in percent. Defaults to 1.
        search: The arguments of ``AlternatingScheduleHook``, its stages apart.
        begins: The parts of the student's training, in [0, 1], after which a stage begins.
        iters: How many iterations a stage has. Defaults to 20.
        stage_images: How many images an iteration of a stage has; None, the default, for as many as
            a student step has.
    """

    title: str
    about: str
    data: str
    student: str
    teacher: str
    distiller: str
    images: int
    budget: int
    metric: str
    head: str
    scale: float = 1.0
    search: Mapping[str, Any] = field(default_factory=dict)
    begins: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7)
    iters: int = 20
    stage_images: int | None = None


@dataclass(frozen=True)
class Method:
    """How the student is taught.

    Attributes:
        title: What tables call it.
        model: What the method changes in plain KD's model; None for a student without a teacher.
        images: How many batches go through the networks in a step. Defaults to 1.
        searches: Whether the method has augmenter stages. Defaults to False.
        search: What the method changes in the task's search.
        transforms: The transforms that the loader gets before the images are packed.
        policy_of: The method whose final policy (task and seed alike) is kept from the start; None,
            the default, for no such method.
    """

    title: str
    model: Mapping[str, Any] | None = field(default_factory=dict)
    images: int = 1
    searches: bool = False
    search: Mapping[str, Any] = field(default_factory=dict)
    transforms: tuple[Mapping[str, Any], ...] = ()
    policy_of: str | None = None


def _search(lr: float) -> dict[str, Any]:
    """A search by SGD, in which no single gradient decides on a rate."""
    optimizer = dict(type='SGD', lr=lr, momentum=0.9, weight_decay=0.0)
    return dict(optim_wrapper=dict(optimizer=optimizer, clip_grad=dict(max_norm=1)))


def _few_shot(data: str, title: str, images: int) -> Task:
    return Task(
        title=f'{title}, {images:,} images',
        about=f'ResNet-18 of 8 channels on {images:,} images of {title}, '
        'taught by one of 24 channels that has seen all',
        data=data,
        student=f'{_CONFIGS}/{data}_student.py',
        teacher=f'{_CONFIGS}/{data}_teacher.py',
        distiller='ClassificationDistiller',
        images=images,
        budget=500,
        metric='accuracy/top1',
        head='accuracy, %',
        search=_search(0.1),
        stage_images=16,
    )


def _scenes(name: str, title: str, metric: str, head: str, scale: float) -> Task:
    return Task(
        title=f'{title}, composed scenes',
        about=f'{title} on 40 scenes, taught by a deeper one that has seen 400',
        data=name,
        student=f'configs/demo/{name}_plain.py',
        teacher=f'configs/demo/{name}_teacher.py',
        distiller='SegmentationDistiller' if name == 'pspnet' else 'DetectionDistiller',
        images=40,
        budget=500,
        metric=metric,
        head=head,
        scale=scale,
        search=_search(0.1),
        iters=12,
        stage_images=2,
    )


def _land_cover() -> Task:
    return replace(
        _scenes('pspnet', '', 'mIoU', 'mIoU, %', 1.0),
        title='PSPNet, land cover',
        about='PSPNet on 16 tiles of land cover, taught by one twice as wide that has seen all',
        data='land_cover',
        student=f'{_CONFIGS}/land_cover_student.py',
        teacher=f'{_CONFIGS}/land_cover_teacher.py',
        images=16,
    )


TASKS = {
    **{
        f'fashion_mnist_{n}': _few_shot('fashion_mnist', 'Fashion-MNIST', n)
        for n in (300, 1000, 3000)
    },
    **{f'cifar10_{n}': _few_shot('cifar10', 'CIFAR-10', n) for n in (300, 1000, 3000)},
    'faster_rcnn': _scenes('faster_rcnn', 'Faster R-CNN', 'coco/bbox_mAP', 'mAP, %', 100.0),
    'retinanet': _scenes('retinanet', 'RetinaNet', 'coco/bbox_mAP', 'mAP, %', 100.0),
    'pspnet': _scenes('pspnet', 'PSPNet', 'mIoU', 'mIoU, %', 1.0),
    'land_cover': _land_cover(),
}

_AUGMENTED: dict[str, Any] = dict(
    augmenter=dict(type='tst_mm.LearnedAugmenter'), batch_mode='split'
)
#: What a gradient trains, with none of the reference's peculiarities.
_BY_GRADIENT: dict[str, Any] = dict(type='tst_mm.PaperAugmenter', preset='recommended')


def _tst(
    title: str, augmenter: dict | None = None, search: dict | None = None, **model: Any
) -> Method:
    """TST in ``split`` mode with something changed."""
    augmenter = {**_AUGMENTED['augmenter'], **(augmenter or {})}
    return Method(
        title,
        {**_AUGMENTED, 'augmenter': augmenter, **model},
        searches=True,
        search=search or {},
    )


def _only(scalars: str, frozen: str) -> Method:
    """TST that learns one kind of its scalars."""
    keys = {f'{frozen}_logits': dict(lr_mult=0.0)}
    return _tst(
        f'{scalars} only',
        _BY_GRADIENT,
        search=dict(optim_wrapper=dict(paramwise_cfg=dict(custom_keys=keys))),
    )


def _fixed(title: str, **init: Any) -> Method:
    """A policy that stays as it starts."""
    augmenter = {**_AUGMENTED['augmenter'], 'init': init}
    return Method(title, {**_AUGMENTED, 'augmenter': augmenter})


def _rates(*rates: float) -> dict[str, float]:
    """Rates by operator, in the order of the policy."""
    return dict(zip(DEFAULT_OPERATORS, rates, strict=True))


def _objective(title: str, **changes: Any) -> Method:
    """TST with another objective."""
    objective = dict(type='tst_mm.FlippedObjective', **changes)
    return _tst(title, _BY_GRADIENT, objective=objective)


def _randaugment() -> dict[str, Any]:
    """The RandAugment of the demo's teacher: operators that grey images have too."""
    config = Config.fromfile(_ROOT / 'configs/demo/classification_teacher.py')
    pipeline = config.train_dataloader.dataset.pipeline
    return next(step for step in pipeline if step.type == 'mmpretrain.RandAugment').to_dict()


METHODS = {
    'plain': Method('student alone', None),
    'kd': Method('KD'),
    'random': Method('KD + untrained random policy', _AUGMENTED),
    'randaugment': Method('KD + RandAugment', transforms=(_randaugment(),)),
    'replay': Method("KD + TST's final policy from the start", _AUGMENTED, policy_of='tst'),
    'tst': _tst('TST, split'),
    'tst_double': Method('TST, double', {**_AUGMENTED, 'batch_mode': 'double'}, 2, True),
    'tst_paper': _tst(
        'TST, paper preset',
        dict(type='tst_mm.PaperAugmenter', preset='paper'),
        objective=dict(type='tst_mm.FlippedObjective', preset='paper'),
    ),
}

ABLATIONS = {
    'probabilities_only': _only('probabilities', 'magnitude'),
    'magnitudes_only': _only('magnitudes', 'probability'),
    'teacher_term_only': _objective("teacher's term only", student_weight=0.0),
    'student_term_only': _objective("student's term only", teacher_weight=0.0),
    'ce_difference': _objective('CE(T) - CE(S)', form='difference'),
    'per_batch': _tst('one draw a batch', {**_BY_GRADIENT, 'sharing': 'batch'}),
}
#: What searches that knew all effects (gradients.json) would lead to, in the order of the policy.
_SOUGHT_CIFAR = _rates(0.9, 0.7, 0.65, 0.4, 0.45, 0.9, 0.5, 0.5, 0.7, 0.6, 0.2, 0.7, 0.1, 0.5)
_SOUGHT_FASHION = _rates(
    0.4, 0.5, 0.3, 0.8, 0.45, 0.9, 0.85, 0.8, 0.98, 0.97, 0.95, 0.95, 0.01, 0.9
)
#: What was tried beside the recommended values.
VARIANTS = {
    'sought': _fixed('KD + rates sought on CIFAR-10', rate=_SOUGHT_CIFAR),
    'sought_fashion': _fixed(
        'KD + rates sought on Fashion-MNIST',
        rate=_SOUGHT_FASHION,
    ),
    'random_rare': _fixed('KD + random policy, rates 0.25', rate=0.25),
    'tst_rare': _tst('TST from rates 0.25', dict(init=dict(rate=0.25))),
    'tst_hot': _tst('TST, learning rate 0.4', search=_search(0.4)),
    'tst_cap_2': _objective('TST, CE(T) - CE(S) capped at 2', form='difference', cap=2.0),
    'tst_teacher_3': _objective("TST, teacher's term times 3", teacher_weight=3.0),
}
#: Those of the main table.
STUDENTS = tuple(METHODS)
#: What the others are compared with.
BASELINES = ('kd', 'random')
METHODS |= ABLATIONS | VARIANTS
