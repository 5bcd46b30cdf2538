"""AdaptiveAmountHook: how many images are augmented follows how well the student generalises."""

import math
from collections.abc import Iterator
from copy import copy
from typing import Any

import torch
from mmengine.dist import all_reduce, broadcast, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner, autocast
from torch.utils.data import DataLoader

from tst_mm.engine.data.held_out import HeldOut, LookBatches, distinct_images
from tst_mm.engine.data.randomness import seed_step
from tst_mm.engine.data.seeded_data import SeededBatches, SeededDataset
from tst_mm.engine.data.stream import Stream
from tst_mm.engine.data.student_data import batch_size
from tst_mm.engine.safety.exact_resume_hook import ExactResumeHook
from tst_mm.registry import HOOKS
from tst_mm.search import AdaptiveAmount
from tst_mm.utils.hooks import ensure_hook
from tst_mm.utils.unwrap import unwrap_model

#: The key of this hook's part of a checkpoint.
_KEY = 'tst_mm_amount'
#: The fewest and the most images of the slice, and the largest part of the data that it may be.
_LEAST, _MOST, _LARGEST_PART = 40, 2000, 0.2
#: The fewest and the most looks, and the part of the training's cost that they may take.
_LEAST_LOOKS, _MOST_LOOKS, _LOOKS_SHARE = 20, 100, 0.01
#: The fraction of images that are augmented where there is no slice: of few images, which are soon
#: known by heart, and of data sets that cannot be told apart by index.
_OF_FEW, _OF_OTHERS = 1.0, 0.5


@HOOKS.register_module()
class AdaptiveAmountHook(Hook):
    """Move the fraction of augmented images of a distiller with ``batch_mode='adaptive'``.

    A slice of the training images is held out, named in the log, until it is released. At regular
    looks the student's distillation loss on some of them is compared with that on images it trains
    on, without gradient and without changing anything, and :class:`AdaptiveAmount` moves the
    fraction: more augmentation where the student memorises, less where it does not. From the
    release on the fraction stays where it is. Where the slice would be more than a fifth of the
    data set, all images are augmented; where samples mix several images, half of them; the log
    says so.

    ``AlternatingScheduleHook`` brings this hook along. Fractions and losses go to the runner's
    message hub and visualizer (``amount/...``) and to ``policy.json``. A resumed run goes on as if
    it had not been interrupted.

    Args:
        target: How far the distillation loss on seen images may lie below that on unseen ones, as
            a part of the latter, in (0, 1). Defaults to 0.2.
        start: The fraction of augmented images at the start, in [0, 1]. Defaults to 1.
        held_out: The size of the slice, as a part of the training images in (0, 0.2]; it has at
            least 40 and at most 2,000 images. Defaults to 0.05.
        release: The part of the training after which the slice is released, in (0, 1]. Defaults to
            0.6.
        looks: The number of looks that the whole training would have, at least 1. Defaults to as
            many as take about 1 % of the training's cost, from 20 to 100.
        images: The number of images of either kind in a look, over all ranks, at least 1. Defaults
            to 32.
        speed: The part of the training in which the fraction can go from 1 to 0, positive.
            Defaults to 0.2.

    Raises:
        ValueError: A value is outside of its range; or, when training starts, the amount of the
            model is not adaptive.
    """

    # It runs after the schedule's stages and before anything that looks at the iteration.
    priority = 2

    def __init__(
        self,
        target: float = 0.2,
        start: float = 1.0,
        held_out: float = 0.05,
        release: float = 0.6,
        looks: int | None = None,
        images: int = 32,
        speed: float = 0.2,
    ) -> None:
        for key, value, most in (
            ('held_out', held_out, _LARGEST_PART),
            ('release', release, 1),
            ('speed', speed, math.inf),
        ):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value <= most:
                raise ValueError(f'{key} is {value!r}; allowed: above 0, at most {most}')
        for key, count in (('looks', looks), ('images', images)):
            if count is None and key == 'looks':
                continue
            if type(count) is not int or count < 1:
                raise ValueError(f'{key} is {count!r}; allowed: whole numbers from 1')
        self.amount = AdaptiveAmount(target, start, speed * (looks or _MOST_LOOKS))
        self.speed = speed
        self.held_out = held_out
        self.release = release
        self.looks = looks
        self.images = images
        #: One entry for each look, as in ``policy.json``.
        self.history: list[dict[str, Any]] = []
        self._slice: HeldOut | None = None
        self._batches: Iterator[Any] | None = None
        self._loaded: dict[str, Any] | None = None

    def before_run(self, runner: Runner) -> None:
        """Refuse a model whose amount is not adaptive."""
        model = unwrap_model(runner)
        if getattr(model, 'augmenter', None) is None:
            raise ValueError(
                f'AdaptiveAmountHook has no effect: the model ({type(model).__name__}) has no '
                "augmenter; give it one, augmenter=dict(type='tst_mm.LearnedAugmenter'), or "
                'remove the hook'
            )
        mode = model.batch_mode
        if mode != 'adaptive':
            raise ValueError(
                f"AdaptiveAmountHook has no effect: the model's batch_mode is {mode!r}; allowed: "
                "batch_mode='adaptive', or no such hook"
            )
        ensure_hook(runner, ExactResumeHook)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep this hook's part of the checkpoint until the run is known."""
        self._loaded = checkpoint.get(_KEY)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add this hook's part to the checkpoint."""
        checkpoint[_KEY] = {**self.amount.state_dict(), 'history': self.history}

    def before_train(self, runner: Runner) -> None:
        """Hold out the slice."""
        model = unwrap_model(runner)
        if self._loaded is not None and runner.iter > 0:
            self.amount.load_state_dict(self._loaded)
            self.history[:] = self._loaded['history']
        self._interval = max(
            1, runner.max_iters // (self.looks or self.affordable_looks(_images(runner)))
        )
        # Short runs have fewer looks; runs whose length they do not divide have more.
        self.amount.looks = self.speed * runner.max_iters / self._interval
        self._slice = self._hold_out(runner)
        if self._slice:
            model.fraction = self.amount.fraction

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Take a look where it is time for one."""
        due = runner.iter and runner.iter % self._interval == 0
        if self._slice is not None and due and runner.iter < self._slice.release:
            self._look(runner)
            seed_step(runner, Stream.STUDENT, runner.iter)

    def affordable_looks(self, images: int) -> int:
        """Looks that take about 1 % of a training, an image of a look counted as a student's.

        Args:
            images: Images of the whole training, over all ranks.
        """
        # There are none after the release.
        looks = int(_LOOKS_SHARE / self.release * images / (2 * self.images))
        return min(max(looks, _LEAST_LOOKS), _MOST_LOOKS)

    def _hold_out(self, runner: Runner) -> HeldOut | None:
        """Choose the slice and keep it from the student's batches.

        Returns:
            The slice; None where there is none, and the fraction is fixed.
        """
        loader, fixed = runner.train_loop.dataloader, _OF_OTHERS
        batches = getattr(loader, 'batch_sampler', None)
        if not isinstance(batches, SeededBatches):
            reason = 'the data set has no index'
        else:
            dataset = loader.dataset
            inner = dataset.dataset if isinstance(dataset, SeededDataset) else dataset
            size = distinct_images(inner)
            count = min(max(round(self.held_out * (size or 0)), _LEAST), _MOST)
            if size is None:
                reason = f'samples of {type(inner).__name__} show several images'
            elif count > _LARGEST_PART * size:
                reason = f'{count} of {size} images are too many to hold out'
                fixed = _OF_FEW
            else:
                release = int(self.release * runner.max_iters)
                held_out = HeldOut(size, count, _common_seed(runner), release)
                batches.held_out = dataset.held_out = held_out
                first = max(0, math.ceil(runner.iter / self._interval) - 1)
                last = max(first, (release - 1) // self._interval)
                looks = LookBatches(held_out, self.images, first, last)
                self._batches = iter(self._loader(loader, looks))
                runner.logger.info(
                    f'Amount of augmentation: {count} of {size} training images are held out until '
                    f'iteration {release}, indices {held_out.indices[:8]} ...; fraction '
                    f'{self.amount.fraction:.2f} at first'
                )
                return held_out
        runner.logger.warning(f'Amount of augmentation: fixed at {fixed}, as {reason}')
        unwrap_model(runner).fraction = fixed
        return None

    def _loader(self, loader: DataLoader, batches: LookBatches) -> DataLoader:
        """Make a loader like the student's, with one worker at most, that gives the looks."""
        clone = copy(loader)
        # DataLoader does not let these be set, because they could contradict each other.
        clone.__dict__.update(
            batch_sampler=batches, num_workers=min(1, loader.num_workers), _iterator=None
        )
        return clone

    def _look(self, runner: Runner) -> None:
        model = unwrap_model(runner)
        assert self._batches is not None
        amp = isinstance(runner.optim_wrapper, AmpOptimWrapper)
        losses = []
        for _ in range(2):
            data = next(self._batches)
            with autocast(enabled=amp, dtype=runner.optim_wrapper.cast_dtype if amp else None):
                losses.append(model.imitation_loss(data).float())
        both = torch.stack(losses)
        all_reduce(both, 'mean')
        seen, unseen = both.tolist()
        model.fraction = self.amount.update(seen, unseen)
        entry = {
            'fraction': self.amount.fraction,
            'seen': self.amount.seen,
            'unseen': self.amount.unseen,
            'gap': self.amount.gap,
        }
        self.history.append({'iter': runner.iter, **entry})
        if is_main_process():
            scalars = {f'amount/{name}': value for name, value in entry.items()}
            for name, value in scalars.items():
                runner.message_hub.update_scalar(name, value)
            runner.visualizer.add_scalars(scalars, step=runner.iter)


def _common_seed(runner: Runner) -> int:
    """The seed of rank 0; ranks may have seeds of their own."""
    seed = torch.tensor(runner.seed)
    broadcast(seed)
    return int(seed)


def _images(runner: Runner) -> int:
    """Images of the whole training, over all ranks."""
    return runner.max_iters * batch_size(runner.train_loop.dataloader) * get_world_size()
