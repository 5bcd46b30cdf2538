"""The planner: what is distilled for a pair of networks, chosen once when it is built.

It looks at what both networks give in a dry run, not at their classes:

- logits, where two heads of the same kind have the same shapes and the same activation;
- features of the necks, or of the backbones where there is none, level by level of equal stride,
  through 1x1 connectors on the student's side. Beside logits they are compared by a mean squared
  error; where they are all there is, and scales may differ, by their correlation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmengine.logging import print_log
from torch import nn

from tst_mm.utils import closest, reject_unknown_keys, require_mapping

from .dry_run import DryRun, Level, training_run
from .heads import Logits
from .kd import compare, merge

_KEYS = ('logits', 'features', 'activation', 'levels')
_ACTIVATIONS = ('softmax', 'sigmoid', 'probability')


class Plan:
    """What is distilled, and why, for one pair.

    Args:
        choices: What the config sets of it: ``logits`` and ``features``, True or False;
            ``activation`` of the logits, ``'softmax'``, ``'sigmoid'`` or ``'probability'``;
            ``levels``, a list of pairs (student's, teacher's) of feature levels. What is not set
            is chosen.
        student: The student.
        teacher: The teacher.

    Raises:
        KeyError: Unknown key.
        TypeError: ``choices`` is no dictionary.
        ValueError: A value outside what is allowed.
    """

    def __init__(
        self, choices: Mapping[str, Any] | None, student: nn.Module, teacher: nn.Module
    ) -> None:
        choices = {} if choices is None else choices
        require_mapping('plan', choices)
        reject_unknown_keys('plan', choices, _KEYS)
        for key in ('logits', 'features'):
            if choices.get(key) not in (None, True, False):
                raise ValueError(f'plan.{key} is {choices[key]!r}; allowed: True, False')
        activation = choices.get('activation')
        if activation is not None and activation not in _ACTIVATIONS:
            raise ValueError(
                f'plan.activation is {activation!r}; {closest(activation, _ACTIVATIONS)}'
            )
        self.choices = choices
        self.student = student
        self.kinds = type(student).__name__, type(teacher).__name__
        self.reasons: list[str] = []
        self._levels: list[Level] | None = None
        self._parts: list[Mapping[str, Any]] = []
        self._words: list[str] = []

    def wants(self, what: str, default: bool = True) -> bool:
        """Whether ``'logits'`` or ``'features'`` are to be compared."""
        chosen = self.choices.get(what)
        return default if chosen is None else chosen

    @property
    def empty(self) -> bool:
        """Whether nothing is distilled so far."""
        return not self._parts

    def agree(self, student: Logits | str, teacher: Logits | str) -> str | None:
        """The activation with which two heads' logits can be compared; None where they cannot."""
        for logits in (student, teacher):
            if isinstance(logits, str):
                self.reasons.append(logits)
                return None
        chosen = self.choices.get('activation')
        if student.shapes != teacher.shapes:
            self.reasons.append(
                f'logits of the student ({student.head}) are {_shapes(student)}, those of the '
                f'teacher ({teacher.head}) {_shapes(teacher)}'
            )
        elif chosen is None and student.activation != teacher.activation:
            self.reasons.append(
                f"classes of the student's {student.head} are a {student.activation}, those of "
                f"the teacher's {teacher.head} a {teacher.activation}"
            )
        else:
            return chosen or student.activation
        return None

    def agree_on_pixels(self, student: Logits | str, teacher: Logits | str) -> str | None:
        """As :meth:`agree`, for maps whose sizes may differ and classes that compete at last.

        The class of a pixel is the largest of several logits, whatever they were trained with; so
        a sigmoid and a softmax are compared as softmaxes.
        """
        if isinstance(student, Logits) and isinstance(teacher, Logits):
            same = student.activation == teacher.activation
            student, teacher = (
                replace(
                    logits,
                    shapes=((1, logits.channels),),
                    activation=logits.activation if same or logits.channels == 1 else 'softmax',
                )
                for logits in (student, teacher)
            )
        return self.agree(student, teacher)

    def add_logits(
        self, name: str, student: Logits, teacher: Logits, loss: Mapping[str, Any]
    ) -> None:
        """Compare logits by a loss of ``preds_S`` and ``preds_T``."""
        part = compare(
            name,
            student.source.module,
            teacher.source.module,
            loss,
            data_idx=(student.source.index, teacher.source.index),
        )
        mapping = part['loss_forward_mappings'][f'loss_{name}']
        for key, who, source in (
            ('preds_S', 'student', student.source),
            ('preds_T', 'teacher', teacher.source),
        ):
            if source.factor != 1.0:
                connector = f'{name}_{who}'
                part['connectors'][connector] = {
                    'type': 'tst_mm.ScaleConnector',
                    'factor': source.factor,
                }
                mapping[key]['connector'] = connector
        self._parts.append(part)
        scaled = '' if student.source.factor == 1.0 else f' times {student.source.factor:.4g}'
        self._words.append(
            f'class logits of {student.source.module}{scaled} ({student.activation}) as those of '
            f"the teacher's {teacher.source.module}"
        )

    def own_levels(self, runs: list[DryRun]) -> list[Level]:
        """Feature levels of the student in training; none where it does not train on images."""
        if self._levels is None:
            own = training_run(self.student, runs[0].size) or runs[0]
            self._levels = own.levels()
        return self._levels

    def add_features(self, runs: list[DryRun] | None) -> None:
        """Compare feature levels of equal stride, the student's as it gives them in training."""
        if runs is None:
            self.reasons.append('no image was found that both networks take')
            return
        pairs = self._pairs(self.own_levels(runs), runs[1].levels())
        names = []
        alone = self.empty
        for student, teacher in pairs:
            name = f'mimic_p{student.index or 0}'
            names.append(f'{student.module}[{student.index or 0}]')
            connector = {
                'type': 'ConvModuleConnector',
                'in_channel': student.channels,
                'out_channel': teacher.channels,
                'act_cfg': None,
            }
            loss: dict[str, Any] = {'type': 'L2Loss', 'normalize': False, 'div_element': True}
            keys = ('s_feature', 't_feature')
            if alone or student.size != teacher.size:
                loss, keys = {'type': 'tst_mm.PearsonFeatureLoss'}, ('preds_S', 'preds_T')
            self._parts.append(
                compare(
                    name,
                    student.module,
                    teacher.module,
                    loss,
                    data_idx=(student.index, teacher.index),
                    connector=connector,
                    keys=keys,
                    recorder='neck' if student.module == 'neck' else 'features',
                )
            )
        if pairs:
            how = 'their correlation' if alone else 'mean squared error'
            sizes = runs[0].size
            strides = ', '.join(f'{sizes[0] / max(s.size[0], 1):.3g}' for s, _ in pairs)
            self._words.append(f'features {", ".join(names)} of strides {strides} by {how}')
        else:
            self.reasons.append('neck and backbone of the two give no feature map for each image')

    def _pairs(self, own: list[Level], theirs: list[Level]) -> list[tuple[Level, Level]]:
        """Levels that are compared: those that the config names, else of equal size."""
        named = self.choices.get('levels')
        if named is not None:
            try:
                return [(own[i], theirs[j]) for i, j in named]
            except (TypeError, ValueError, IndexError) as error:
                raise ValueError(
                    f'plan.levels is {named!r}; allowed: pairs of one of {len(own)} levels of the '
                    f'student and one of {len(theirs)} of the teacher'
                ) from error
        pairs, left = [], list(theirs)
        for level in own:
            same = next((other for other in left if other.size == level.size), None)
            if same is not None:
                pairs.append((level, same))
                left.remove(same)
        if not pairs and own and theirs:
            # No stride is common: the two that differ least; the loss resizes.
            pairs.append(min(((a, b) for a in own for b in theirs), key=_distance))
        return pairs

    def result(self) -> dict[str, Any]:
        """Arguments of ``ConfigurableDistiller``; says what is distilled.

        Raises:
            ValueError: Nothing can be.
        """
        if self.empty:
            off = [key for key in ('logits', 'features') if self.choices.get(key) is False]
            why = '; '.join([*self.reasons, *(f'plan.{key} is False' for key in off)])
            raise ValueError(
                f'nothing of student {self.kinds[0]} and teacher {self.kinds[1]} can be '
                f'compared: {why}; allowed: features (plan.features), or a "distiller" that '
                f'compares what they share'
            )
        why = f'; {"; ".join(self.reasons)}' if self.reasons else ''
        print_log(f'distilled: {"; ".join(self._words)}{why}', 'current', 20)
        return merge(*self._parts)


def _shapes(logits: Logits) -> str:
    return ', '.join(' x '.join(map(str, shape[1:])) for shape in logits.shapes)


def _distance(pair: tuple[Level, Level]) -> float:
    """How much the sizes of two levels differ, whichever is larger."""
    own, other = (max(level.size[0], 1) for level in pair)
    return max(own / other, other / own)
