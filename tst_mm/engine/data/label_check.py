"""Labels that no class of the student has, found where a sample is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class LabelCheck:
    """Looks at the labels of a sample, in the process that loads it.

    Without it a label that is too large ends in an index error far from its image, or, on a GPU,
    in an assertion that names nothing.

    Attributes:
        num_classes: The number of classes of the student, without background.
        ignored: The values of label maps that stand for no class.
    """

    num_classes: int
    ignored: frozenset[int] = frozenset({255})

    @classmethod
    def of(cls, model: Any) -> LabelCheck | None:
        """Make the check for a distiller's student; None where its number of classes is not known.

        Args:
            model: The model of a run, unwrapped.
        """
        try:
            _, count = model.confidence_loss(model.student)
        except Exception:  # a plain model, or a head whose classes nobody can tell
            return None
        found = {getattr(module, 'ignore_index', None) for module in model.student.modules()}
        return cls(int(count), frozenset({255, *(v for v in found if isinstance(v, int))}))

    def __call__(self, sample: Any) -> None:
        """Check the labels of a sample.

        Args:
            sample: The sample that the data set gives, ``dict(inputs=, data_samples=)``; anything
                else passes.

        Raises:
            ValueError: A label is no class of the student; the error names the label and what is
                allowed.
        """
        labelled = sample.get('data_samples') if isinstance(sample, dict) else None
        if labelled is None:
            return
        instances = getattr(labelled, 'gt_instances', None)
        if instances is not None:
            self._check(getattr(instances, 'labels', None), self.num_classes, frozenset())
            return  # a semantic map beside boxes has classes of its own
        self._check(getattr(labelled, 'gt_label', None), self.num_classes, frozenset())
        labels = getattr(getattr(labelled, 'gt_sem_seg', None), 'data', None)
        # A head for one class against the rest has the labels 0 and 1.
        self._check(labels, max(2, self.num_classes), self.ignored)

    def _check(self, labels: Any, count: int, ignored: frozenset[int]) -> None:
        if not isinstance(labels, Tensor) or not labels.numel() or labels.is_floating_point():
            return
        if int(labels.min()) >= 0 and int(labels.max()) < count:
            return
        wrong = [v for v in labels.unique().tolist() if not 0 <= v < count and v not in ignored]
        if wrong:
            beside = f', and {", ".join(map(str, sorted(ignored)))} (ignored)' if ignored else ''
            raise ValueError(
                f'label {", ".join(map(str, wrong[:5]))} is outside of the {count} classes; '
                f'allowed: 0 to {count - 1}{beside}. Change the labels, or num_classes of student '
                'and teacher'
            )
