"""AlternatingScheduleHook: runs the augmenter stages between parts of the student's training."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook, IterTimerHook, LoggerHook
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import EpochBasedTrainLoop, Runner

from tst_mm.engine.data.randomness import seed_step
from tst_mm.engine.data.stream import Stream
from tst_mm.engine.data.student_data import batch_size, iterations_per_epoch
from tst_mm.engine.safety.exact_resume_hook import ExactResumeHook
from tst_mm.engine.safety.safe_checkpoints import remove_checkpoint
from tst_mm.engine.safety.shared_buffers_hook import SharedBuffersHook
from tst_mm.engine.schedule.adaptive_amount_hook import AdaptiveAmountHook
from tst_mm.engine.schedule.augmenter_stage import AugmenterStage
from tst_mm.engine.schedule.schedule_state import (
    SCHEDULE_KEY,
    check_operators,
    check_state,
    pack_state,
)
from tst_mm.engine.schedule.stage_loader import build_stage_loader
from tst_mm.engine.schedule.stage_log import StageLog
from tst_mm.engine.schedule.stages import (
    DEFAULT_STAGES,
    Stage,
    is_spread,
    parse_stages,
    resolve_stages,
    spread_stages,
)
from tst_mm.registry import HOOKS
from tst_mm.search import Search
from tst_mm.utils import require_mapping
from tst_mm.utils.aliases import current_search, search_in_place_of
from tst_mm.utils.components import build_component
from tst_mm.utils.files import write_bytes
from tst_mm.utils.hooks import ensure_hook
from tst_mm.utils.unwrap import unwrap_model


@HOOKS.register_module()
class AlternatingScheduleHook(Hook):
    """Train the augmenter in stages, between parts of the student's training.

    A stage runs before the student iteration at which it begins and takes nothing from the
    student: not its iterations, its order of data, its random numbers or its timer. The search
    says what carries over from stage to stage. Between stages the policy stands still. Progress
    goes to the runner's logger, message hub and visualizer (``augmenter/...``) and to
    ``policy.json`` in the work folder.

    All random draws depend on the seed, the stage and the step only, and with
    :class:`ExactResumeHook`, which comes along, those of the student too. What else a resume needs
    is in the checkpoint under ``tst_mm``, so that a run killed at any moment and resumed ends as
    if it had not been. A checkpoint without that entry resumes with a warning; one from another
    schedule is an error that says what to do.

    A stage calls the hooks of the run: ``before_augmenter_stage(runner, stage)`` and
    ``after_augmenter_iter(runner, stage, data_batch, outputs)``, where ``stage`` is the running
    :class:`tst_mm.engine.schedule.augmenter_stage.AugmenterStage` and ``outputs`` what
    the search's ``step`` returned.

    Args:
        stages: Where stages begin and how long they are. By default five at equal distances that
            take 2 % of the training's cost, ``dict(count=5, share=0.02)``. Or a list of
            ``dict(begin=30, length=30)``, or a period ``dict(first=32, every=30, length=5)``.
            ``begin`` counts the student's epochs or iterations, from 0; ``length`` is in the same
            unit, over the augmenter's own loader; ``iters`` in its place is in augmenter
            iterations. An empty list keeps the augmenter at its initial policy.
        by_epoch: Whether ``begin`` and ``length`` are in epochs. Defaults to the unit of the
            run's training loop.
        search: The search that learns the policy in the stages. Defaults to
            ``dict(type='tst_mm.MeasuringSearch')``, see :class:`tst_mm.search.MeasuringSearch`;
            the published form has ``dict(type='tst_mm.GradientSearch', ...)``.
        dataloader: What the loader of the stages has in place of the student's, by the keys of
            MMEngine's dataloaders, for example ``dict(batch_size=16)``. Defaults to nothing: the
            student's data in an order of the stages' own.
        interval: The augmenter iterations between log lines. Defaults to that of ``LoggerHook``.
        checkpoint_interval: The augmenter iterations between checkpoints inside a stage; one more
            is written at its end, and only the latest is kept. Defaults to none.

    Raises:
        KeyError: A key of a stage is unknown or missing, or an argument of the search is unknown.
        TypeError: ``search`` or ``dataloader`` is no dictionary.
        ValueError: A value is not allowed; or, when training starts, a stage lies beyond the end.
    """

    # It runs right after ExactResumeHook and before all others: what they see of an iteration must
    # not depend on a stage before it.
    priority = 1

    def __init__(
        self,
        stages: Sequence[Mapping[str, Any]] | Mapping[str, Any] = DEFAULT_STAGES,
        by_epoch: bool | None = None,
        search: Mapping[str, Any] | None = None,
        dataloader: Mapping[str, Any] | None = None,
        interval: int | None = None,
        checkpoint_interval: int | None = None,
        **old: Any,
    ) -> None:
        parse_stages(stages)
        if dataloader is not None:
            require_mapping('dataloader', dataloader)
        if by_epoch is not None and not isinstance(by_epoch, bool):
            raise ValueError(f'by_epoch is {by_epoch!r}; allowed: True, False or None')
        for key, value in (('interval', interval), ('checkpoint_interval', checkpoint_interval)):
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(f'{key} is {value!r}; allowed: whole numbers from 1, or None')
        self.stages = stages
        self.by_epoch = by_epoch
        self.search: Search = build_component('search', current_search(search, old))
        self._old = old
        self.dataloader = dataloader
        self.interval = interval
        self.checkpoint_interval = checkpoint_interval
        #: The stages in iterations, known once training starts.
        self.schedule: list[Stage] = []
        #: The index of the stage that runs or comes next.
        self.stage = 0
        self.running: AugmenterStage | None = None
        self._loaded: dict[str, Any] | None = None
        self._continued: dict[str, Any] | None = None

    def before_run(self, runner: Runner) -> None:
        """Refuse a model without an augmenter."""
        model = unwrap_model(runner)
        if getattr(model, 'augmenter', None) is None:
            raise ValueError(
                f'AlternatingScheduleHook: the model ({type(model).__name__}) has no augmenter; '
                "give it one, augmenter=dict(type='tst_mm.LearnedAugmenter'), or remove the hook"
            )
        self.model = model
        self.policy = model.augmenter.policy
        if self._old:
            trained = any(parameter.requires_grad for parameter in self.policy.parameters())
            config = search_in_place_of(self._old, trained)
            self.search = build_component('search', config)
        ensure_hook(runner, ExactResumeHook)
        self.buffers = ensure_hook(runner, SharedBuffersHook)
        adaptive = model.batch_mode == 'adaptive'
        self._amount = ensure_hook(runner, AdaptiveAmountHook) if adaptive else None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep this hook's part of the checkpoint until the run is known."""
        self._loaded = checkpoint.get(SCHEDULE_KEY, {})

    def before_train(self, runner: Runner) -> None:
        """Turn the stages into iterations, check everything, continue from a checkpoint."""
        self.loader, self.batches = build_stage_loader(runner, self.dataloader)
        self.schedule = self._resolve(runner)
        # Stages run in the precision of the student's training.
        amp = isinstance(runner.optim_wrapper, AmpOptimWrapper)
        self._precision = {'dtype': runner.optim_wrapper.cast_dtype} if amp else None
        self.search.check(self.model)  # a mistake shows now, not in hours
        loggers = [hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._log_interval = self.interval or (loggers or [10])[0]
        self.log = StageLog(runner, self.model.augmenter, self.schedule)
        if self._amount is not None:
            self.log.amount = self._amount.history
        if self._loaded is not None:
            self._continue(runner, self._loaded)
        self.log.write_policy()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Run the stage that begins here."""
        if self.stage < len(self.schedule) and self.schedule[self.stage].begin == runner.iter:
            start = time.time()
            self.run_stage(runner)
            for hook in runner.hooks:  # the student's time and ETA do not contain the stage
                if isinstance(hook, IterTimerHook):
                    hook.t += time.time() - start
            seed_step(runner, Stream.STUDENT, runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Write the policy file once more, as the amount has moved since the last stage."""
        self.log.write_policy()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add this hook's part to the checkpoint."""
        state = pack_state(
            self.schedule,
            self.policy,
            self.search,
            self.stage,
            self.running,
            self.log.history,
            self.log.evidence,
        )
        # The state of a stage that was left inside is handed on until that stage goes on.
        checkpoint[SCHEDULE_KEY] = {**state, **(self._continued or {}), **self.log.extras()}

    def start_stage(self, index: int) -> AugmenterStage:
        """Build a stage that has done no step yet."""
        length, epoch = self.schedule[index].length, len(self.batches)
        return AugmenterStage(self.search, self.model, length, epoch, self._precision)

    def run_stage(self, runner: Runner) -> None:
        """Run the next stage, from where a checkpoint left it, to its end."""
        index = self.stage
        stage = self.running = self.start_stage(index)
        if self._continued is not None:
            self._restore(stage, **self._continued)
            self._continued = None
        self.buffers.share(runner)
        runner.call_hook('before_augmenter_stage', stage=stage)
        self.batches.select(Stream.stage(index), stage.step, stage.length)
        self.log.restart_clock(stage.step)
        for data in self.loader:
            seed_step(runner, Stream.stage(index), stage.step)
            outputs = stage.train_step(data)
            runner.call_hook('after_augmenter_iter', stage=stage, data_batch=data, outputs=outputs)
        words = self.search.end()
        self.log.evidence = self.search.evidence()
        self.log.write_line(index, stage)
        self.log.write_end(index, words)
        self.stage, self.running = index + 1, None
        if self.checkpoint_interval is not None:
            self._save(runner, index, stage.step)

    def after_augmenter_iter(
        self, runner: Runner, stage: AugmenterStage, data_batch: Any, outputs: Any
    ) -> None:
        """Write log lines and checkpoints at their intervals."""
        if stage.step % self._log_interval == 0 and not stage.finished:
            self.log.write_line(self.stage, stage)
        if self._wants_checkpoint(stage.step) and not stage.finished:
            self._save(runner, self.stage, stage.step)

    def _resolve(self, runner: Runner) -> list[Stage]:
        if isinstance(self.stages, Mapping) and is_spread(self.stages):
            batches = (runner.train_loop.dataloader, self.loader)
            images, drawn = (batch_size(loader) for loader in batches)
            steps = images / (drawn * getattr(self.search, 'draws', 1))
            return spread_stages(self.stages, runner.max_iters, steps)
        epochs = isinstance(runner.train_loop, EpochBasedTrainLoop)
        by_epoch = epochs if self.by_epoch is None else self.by_epoch
        per_epoch = iterations_per_epoch(runner)
        end = runner.max_iters / per_epoch if by_epoch else runner.max_iters
        return resolve_stages(
            parse_stages(self.stages, end),
            end,
            'epochs' if by_epoch else 'iterations',
            per_epoch if by_epoch else 1,
            len(self.batches) if by_epoch else 1,
        )

    def _continue(self, runner: Runner, state: dict[str, Any]) -> None:
        resuming = runner._resume or runner.iter > 0
        if not state:
            if resuming:
                self.stage = sum(stage.begin < runner.iter for stage in self.schedule)
                runner.logger.warning(
                    'The checkpoint was written without AlternatingScheduleHook: the policy '
                    f'starts anew, and {self.stage} stage(s) that begin before iteration '
                    f'{runner.iter} are left out.'
                )
            return
        if resuming:
            check_state(state, self.schedule, self.policy, runner.iter)
            self.stage = state['stage']
            self.log.history, self.log.evidence = list(state['history']), list(state['evidence'])
        check_operators(state, self.policy)
        self.policy.load_state_dict(state['policy_state'])
        if not resuming:
            self.log.remember_start()
        elif state['running'] is None:
            self._restore(None, None, state['search'])
        else:
            self._continued = {'running': state['running'], 'search': state['search']}
        runner.logger.info(
            f'Policy taken from the checkpoint; {self.stage}/{len(self.schedule)} stages done.'
        )

    def _restore(
        self, stage: AugmenterStage | None, running: dict[str, Any] | None, search: dict[str, Any]
    ) -> None:
        """Give search and running stage the state that a checkpoint has of them.

        Raises:
            ValueError: The state is of another stage or search, or broken.
        """
        try:
            self.search.load_state_dict(search)
            if stage is not None and running is not None:
                stage.load_state_dict(running)
        except Exception as error:  # torch may raise anything for a wrong optimiser state
            raise ValueError(
                'the checkpoint holds no state of this augmenter stage: '
                f'{type(error).__name__}: {error}'
            ) from error

    def _wants_checkpoint(self, step: int) -> bool:
        return self.checkpoint_interval is not None and step % self.checkpoint_interval == 0

    def _save(self, runner: Runner, index: int, step: int) -> None:
        """Write a checkpoint that resumes before the student iteration at which the stage runs."""
        name = f'augmenter_stage{index + 1}_iter{step}.pth'  # counts as the log does
        meta = {'epoch': runner.epoch, 'iter': runner.iter}
        runner.save_checkpoint(runner.work_dir, name, meta=meta, by_epoch=False)
        if is_main_process():
            path = Path(runner.work_dir, name)
            write_bytes(path.with_name('last_checkpoint'), str(path).encode())
            for older in set(path.parent.glob('augmenter_stage*_iter*.pth')) - {path}:
                remove_checkpoint(older)
