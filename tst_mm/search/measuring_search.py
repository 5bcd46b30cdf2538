"""MeasuringSearch: operators are tried by hard draws, and the policy follows their effects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.runner import autocast
from torch import Tensor

from tst_mm.registry import MODELS

from .experiment import Effects, FactorialExperiment
from .objective import finite_mean
from .tilt import tilt

#: In a stage operators act at least so often on the images that they are drawn for.
LEAST_RATE = 0.5


@MODELS.register_module()
class MeasuringSearch:
    """Measure what each operator does to the objective, and tilt the policy accordingly.

    In a stage every image is drawn several times by the present policy, with rates of at least one
    half, because an operator that hardly ever acts is hardly measured; student and teacher look at
    each copy without gradient, and the objective J of each copy is regressed on what was drawn
    (:class:`FactorialExperiment`, one constant an image, so that the difficulty of an image takes
    no part). At the end of the stage the policy becomes its prior, tilted by the effects that
    stand out from their errors (:func:`tilt`): what is not known stays at the prior. The prior is
    the policy at the start of the run.

    The paper learns by gradients through relaxed gates; measured at the same cost, effects have
    several times their signal, and two seeds agree. Values need no gradient through a network, no
    differentiable operator and no flipped loss.

    Args:
        temperature: How far evidence carries the policy away from the prior, positive; it does not
            move at ``math.inf``. At 1 (default) an operator that changes J by the spread of single
            images changes its odds by a factor of e.
        forgetting: The weight, in (0, 1], that the findings of earlier stages are multiplied by
            each time a stage begins, because the student and its weaknesses change. Defaults to
            0.9.
        draws: The number of times that each image is drawn in a step, at least 2. More draws of
            fewer images cost the same and load less. Defaults to 4.

    Raises:
        ValueError: A value is outside of its range.
    """

    def __init__(self, temperature: float = 1.0, forgetting: float = 0.9, draws: int = 4) -> None:
        number = isinstance(temperature, (int, float)) and not isinstance(temperature, bool)
        if not number or not temperature > 0:
            raise ValueError(f'temperature is {temperature!r}; allowed: above 0')
        if type(draws) is not int or draws < 2:
            raise ValueError(f'draws is {draws!r}; allowed: whole numbers from 2')
        self.temperature = float(temperature)
        self.forgetting = forgetting
        self.draws = draws
        self._model: Any = None
        self.experiment = FactorialExperiment([], forgetting)
        #: The logits of the rates and tilts of the densities, (N,) each, before the first stage.
        self._prior: tuple[Tensor, Tensor] | None = None
        #: Observations since the last read: their values may still be on their way on the device.
        self._pending: list[tuple[Tensor, Tensor, Tensor]] = []

    def check(self, model: Any) -> None:
        """Take the model of the run, as :meth:`Search.check` describes it.

        Raises:
            TypeError: The policy of the model's augmenter has no densities of magnitudes.
        """
        policy = model.augmenter.policy
        if not hasattr(policy, 'magnitude_tilts'):
            raise TypeError(
                f'MeasuringSearch sets densities of magnitudes, which {type(policy).__name__} has '
                "not; allowed: augmenter=dict(type='tst_mm.LearnedAugmenter'), or "
                "search=dict(type='tst_mm.GradientSearch')"
            )
        if model is self._model:
            return
        self._model, self._policy = model, policy
        varies = policy.for_all(policy.magnitude_tilts.isfinite().float()).bool().tolist()
        has = [operator.has_magnitude for operator in policy.operators]
        self.experiment = FactorialExperiment(
            [v and h for v, h in zip(varies, has, strict=True)], self.forgetting
        )

    def begin(
        self,
        model: Any,
        length: int,
        epoch_length: int,
        precision: Mapping[str, Any] | None = None,
    ) -> None:
        """Begin a stage, as :meth:`Search.begin` describes it."""
        self.check(model)
        self._precision = precision
        if self._prior is None:
            policy = self._policy
            self._prior = (
                policy.probability_logits.detach().double().clone(),
                policy.for_all(policy.magnitude_tilts.detach().double().clone()),
            )
        self.experiment.forget()

    def step(self, data: Any) -> dict[str, Tensor]:
        """Draw the images of a batch several times and observe the objective of each copy."""
        precision = nullcontext() if self._precision is None else autocast(**self._precision)
        with precision, self._policy.at_least(LEAST_RATE):
            score = self._model.score(data, self.draws)
        draw, values = score['draw'], score['objective']
        self._pending.append((draw.gates, draw.magnitudes, values))
        names = ['objective', 'loss_teacher', 'loss_student']
        names += [name for name in ('teacher_confidence', 'student_confidence') if name in score]
        means = torch.stack([finite_mean(score[name]) for name in names])
        terms = {name: finite_mean(value) for name, value in score['terms'].items()}
        if get_world_size() > 1:
            # All ranks go on with the same sums, so that the checkpoint of rank 0 serves all.
            self._read()
            all_reduce(means, 'mean')
            for value in terms.values():
                all_reduce(value, 'mean')
        self._model.objective.update(terms)
        return dict(zip(('loss', *names[1:]), means.unbind(), strict=True))

    def end(self) -> str:
        """End the stage: tilt the prior by what is known; return a sentence for the log."""
        effects = self.effects()
        assert self._prior is not None, 'no stage has begun'
        logits, tilts = self._prior
        moved, tilted = tilt(effects, self.temperature)
        self._policy.set_(logits + moved, tilts + tilted)
        known = effects.known()
        order = [i for i in effects.main.argsort().tolist() if known[i]]
        words = [
            f'{self._policy.names[i]} {effects.main[i]:+.3g} ± {effects.main_error[i]:.2g}'
            for i in order
        ]
        return (
            f'{round(effects.count)} draws, spread {effects.spread:.3g}; known effects on the '
            f'objective, small is good: {", ".join(words) or "none"}'
        )

    def effects(self) -> Effects:
        """What is known of the operators now; waits for the device."""
        self._read()
        return self.experiment.effects()

    def evidence(self) -> list[dict[str, Any]]:
        """For each operator ``effect``, ``effect_error``, ``slope`` and ``slope_error``.

        They are in units of the spread of single images' objectives; an error is None where
        nothing is known.
        """
        effects = self.effects()
        unit = effects.spread or 1.0
        columns = (effects.main, effects.main_error, effects.slope, effects.slope_error)
        names = ('effect', 'effect_error', 'slope', 'slope_error')
        rows = zip(*((column / unit).tolist() for column in columns), strict=True)
        return [
            {name: v if math.isfinite(v) else None for name, v in zip(names, row, strict=True)}
            for row in rows
        ]

    def lr(self) -> None:
        """None: this search has no learning rate."""

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed run continues from."""
        self._read()
        return {
            'kind': type(self).__name__,
            'sums': self.experiment.state_dict(),
            'prior': self._prior,
            'scales': self._model.objective.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state_dict`, as :meth:`Search.load_state_dict` describes it."""
        if state.get('kind') != type(self).__name__:
            raise ValueError(
                f'the checkpoint holds the state of a {state.get("kind")}; allowed: a '
                f'{type(self).__name__}, as this run has, or search as it was'
            )
        self.experiment.load_state_dict(state['sums'])
        if state['prior'] is not None:
            logits, tilts = state['prior']
            self._prior = logits.double(), tilts.double()
        self._model.objective.load_state_dict(state['scales'])

    def _read(self) -> None:
        """Take the pending observations of all ranks into the experiment."""
        # Observations are added one by one, so that sums do not depend on when they are read.
        for gates, magnitudes, values in self._pending:
            new = FactorialExperiment(self.experiment.with_magnitude.tolist())
            images = len(values) // self.draws
            new.observe(gates, magnitudes, values, torch.arange(images).repeat(self.draws))
            sums = new.state_dict()
            if get_world_size() > 1:
                for value in sums.values():
                    all_reduce(value, 'sum')
            self.experiment.merge(sums)
        self._pending = []
