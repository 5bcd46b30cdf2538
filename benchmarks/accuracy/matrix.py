"""The matrix: which tasks, which methods. Everything else follows from these two tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.small.parts import randaugment, trivialaugment

_CONFIGS = 'benchmarks/accuracy/configs'
_GRADIENT = dict(type='tst_mm.GradientSearch')


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
        budget: Cost of a run, in steps of plain KD.
        metric: Name in MMEngine's scalars.
        head: Of the metric, in tables.
        scale: Of the metric, to give percent.
        stage_images: Images of the loader in a step of a stage; None for as many as in a student
            step.
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
    stage_images: int | None = None


@dataclass(frozen=True)
class Method:
    """How the student is taught.

    Attributes:
        title: What tables call it.
        model: What the method changes in plain KD's model; None for a student without a teacher.
        images: Images through the networks a step, in batches.
        search: Arguments of ``AlternatingScheduleHook``, nothing for its defaults; None for a
            method that searches nothing.
        policy_of: The method whose final policy (task and seed alike) it keeps from the start.
    """

    title: str
    model: Mapping[str, Any] | None = field(default_factory=dict)
    images: int = 1
    search: Mapping[str, Any] | None = None
    policy_of: str | None = None

    @property
    def augments(self) -> bool:
        """Whether it has a policy."""
        return bool(self.model) and 'augmenter' in self.model

    @property
    def adaptive(self) -> bool:
        """Whether the amount of augmentation follows the student."""
        return self.augments and self.model.get('batch_mode', 'adaptive') == 'adaptive'

    @property
    def by_gradient(self) -> bool:
        """Whether its search goes back through both networks."""
        return bool(self.search) and self.search.get('search') == _GRADIENT


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

_AUGMENTED: dict[str, Any] = dict(augmenter=dict(type='tst_mm.LearnedAugmenter'))


def _tst(title: str, **model: Any) -> Method:
    """The recommended form with something changed in the model."""
    return Method(title, {**_AUGMENTED, **model}, search={})


def _all_images(title: str, arguments: Mapping[str, Any]) -> Method:
    """All images augmented in a fixed way."""
    augmenter = dict(type='tst_mm.LearnedAugmenter', **arguments)
    return Method(title, dict(augmenter=augmenter, batch_mode=1.0))


def _objective(title: str, **changes: Any) -> Method:
    """TST with another objective."""
    return _tst(title, objective={'type': 'tst_mm.TeachingObjective', **changes})


#: Where ``benchmarks.small`` has a method too, it has the same name.
METHODS = {
    'plain': Method('student alone', None),
    'kd': Method('KD'),
    'random-half': Method(
        'KD + untrained policy, half of the images', {**_AUGMENTED, 'batch_mode': 0.5}
    ),
    'random': Method('KD + untrained policy, all images', {**_AUGMENTED, 'batch_mode': 1.0}),
    **{
        f'randaugment-{strength}': _all_images(
            f'KD + RandAugment, strength {strength}', randaugment(strength)
        )
        for strength in (5, 9, 14)
    },
    'trivialaugment': _all_images('KD + TrivialAugment', trivialaugment()),
    'tst': _tst('TST'),
    'amount': Method('TST, amount only', _AUGMENTED),
    # The reference's stages are half as long as its training; these take a tenth of the images.
    'paper': Method(
        'TST as published',
        dict(
            augmenter=dict(type='tst_mm.PaperAugmenter', preset='paper'),
            objective=dict(type='tst_mm.FlippedObjective', preset='paper'),
            batch_mode='double',
        ),
        images=2,
        search=dict(stages=dict(count=4, share=0.1), search=_GRADIENT),
    ),
}
ABLATIONS = {
    'policy-half': _tst('TST, policy only, half of the images', batch_mode=0.5),
    'policy': _tst('TST, policy only, all images', batch_mode=1.0),
    'teacher_term_only': _objective("teacher's term only", student_weight=0.0),
    'student_term_only': _objective("student's term only", teacher_weight=0.0),
    'disagreement': _objective('disagreement', type='tst_mm.DisagreementObjective'),
    'trust': _tst('labels by trust', label_trust=True),
    'wide': _tst(
        'wide set of operators', augmenter=dict(type='tst_mm.LearnedAugmenter', operators='wide')
    ),
    'replay': Method("KD + TST's final policy from the start", _AUGMENTED, policy_of='tst'),
}
#: Those of the main table.
STUDENTS = tuple(METHODS)
#: What the others are compared with.
BASELINES = ('kd', 'random')
METHODS |= ABLATIONS
#: Titles of what before.jsonl compares: the search by gradient, in its order.
BEFORE = {
    'kd': 'KD',
    'random': 'KD + untrained random policy',
    'randaugment': 'KD + RandAugment',
    'replay': 'KD + the policy found, from the start',
    'tst': 'TST by gradient, split',
    'tst_double': 'TST by gradient, double',
    'tst_paper': 'TST, paper preset',
    'sought': 'KD + rates sought on CIFAR-10',
    'sought_fashion': 'KD + rates sought on Fashion-MNIST',
}
BASELINES_BEFORE = ('kd', 'random')
