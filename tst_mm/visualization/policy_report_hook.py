"""PolicyReportHook: at the end of training, a page that shows what the policy has become."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tst_mm.engine.data.randomness import seed_step
from tst_mm.engine.data.stream import Stream
from tst_mm.engine.schedule.alternating_schedule_hook import AlternatingScheduleHook
from tst_mm.registry import HOOKS
from tst_mm.utils.generators import global_generators_kept
from tst_mm.utils.hooks import find_hook
from tst_mm.utils.unwrap import unwrap_model


@HOOKS.register_module()
class PolicyReportHook(Hook):
    """Write ``report.html`` into the work folder, and ``report/`` with its figures.

    The page shows what the search knows of each operator, how the amount of augmentation went,
    rates and magnitudes over training, the confidence of teacher and student on original and
    augmented images, and images with what the augmenter makes of them. The figures also go to the
    runner's visualizer, so that TensorBoard and WandB have them. ``tools/report.py`` compares the
    reports of several runs.

    For the last two teacher and student look at a few training batches once more, without
    gradient: about the time of a training step a batch. Training does not notice: no weight, no
    statistic, no training flag and no random draw changes. What is drawn depends on the seed of
    the run only. A report that cannot be measured or written is an error in the log and does not
    end the run.

    Args:
        images: The number of images that are shown, at least 0. Defaults to 12.
        batches: The number of batches of the augmenter stages' loader, of each process, on which
            the confidence is measured and from which images are taken; 0 leaves both out. Defaults
            to 8.
        interval: The number of augmenter stages after which a report is also written, at least 1.
            Defaults to None, the end of training only.

    Raises:
        ValueError: A value is not allowed; or, when training starts, the run has no
            :class:`AlternatingScheduleHook`.
    """

    # It runs before LoggerHook, which closes the visualizer.
    priority = 'NORMAL'

    def __init__(self, images: int = 12, batches: int = 8, interval: int | None = None) -> None:
        for key, value, least in (
            ('images', images, 0),
            ('batches', batches, 0),
            ('interval', interval, 1),
        ):
            if value is None and key == 'interval':
                continue
            if type(value) is not int or value < least:
                other = ', or None' if key == 'interval' else ''
                raise ValueError(f'{key} is {value!r}; allowed: whole numbers from {least}{other}')
        self.images = images
        self.batches = batches
        self.interval = interval

    def before_train(self, runner: Runner) -> None:
        """Find the hook of the schedule."""
        schedule = find_hook(runner, AlternatingScheduleHook)
        if schedule is None:
            raise ValueError(
                'PolicyReportHook: the run has no AlternatingScheduleHook; give it one (stages=[] '
                'keeps the policy as it starts), or remove PolicyReportHook'
            )
        self.schedule = schedule
        self._reported = self.schedule.stage

    def after_train_iter(self, runner: Runner, batch_idx: int, *args: Any, **kwargs: Any) -> None:
        """Report when enough stages have ended since the last report.

        The student is one iteration further than in the stage; before the next one the schedule
        seeds all draws anew.
        """
        stage = self.schedule.stage
        if self.interval is not None and stage - self._reported >= self.interval:
            self._reported = stage
            self.report(runner, runner.iter + 1)

    def after_train(self, runner: Runner) -> None:
        """Report at the end of training."""
        self.report(runner, runner.iter)

    def report(self, runner: Runner, iteration: int) -> None:
        """Measure on all processes, and write on the main one.

        Args:
            runner: The runner of the run.
            iteration: The number of student iterations done.
        """
        with global_generators_kept():
            try:
                examples, distribution = self._measure(runner, iteration)
                if is_main_process():
                    self._write(runner, iteration, examples, distribution)
            except Exception as error:  # a picture must not end a training
                runner.logger.error(f'The report could not be written: {error!r}', exc_info=True)

    def _measure(self, runner: Runner, iteration: int) -> tuple[Any, Any]:
        # Imported here, because matplotlib takes a second.
        from tst_mm.visualization.probe import probe

        schedule, model = self.schedule, unwrap_model(runner)
        batches = schedule.batches
        batches.select(Stream.REPORT, 0, min(self.batches, len(batches)))
        loader: Iterable[Any] = schedule.loader if self.batches else []

        metainfo = getattr(schedule.loader.dataset, 'metainfo', None) or {}
        classes = metainfo.get('classes') or ()
        palette = metainfo.get('palette') or ()
        reseed = partial(seed_step, runner, Stream.REPORT)
        return probe(model, loader, self.images, classes, palette, iteration, reseed)

    def _write(self, runner: Runner, iteration: int, examples: Any, distribution: Any) -> None:
        import numpy as np
        from PIL import Image

        from tst_mm.visualization.report import write_report
        from tst_mm.visualization.run_record import RunRecord, save_measurements

        save_measurements(runner.work_dir, examples, distribution)
        record = RunRecord.load(runner.work_dir)
        page, *figures = write_report(Path(runner.work_dir, 'report.html'), [record])
        for figure in figures:
            with Image.open(figure) as image:
                pixels = np.asarray(image.convert('RGB'))
            runner.visualizer.add_image(f'report_{figure.stem}', pixels, iteration)
        runner.logger.info(f'Report: {page}')
