"""The pictures that the demo leaves behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope

from tst_mm.visualization import (
    History,
    plot_confidence,
    plot_examples,
    plot_policy,
    save_figure,
)

from .run import ROOT, Run


def save_figures(run: Run, folder: Path, images: int, columns: int, steps: int) -> list[Path]:
    """Draw the policy over training, the confidences and augmented training images.

    Args:
        run: A finished TST run.
        folder: Where to.
        images: How many images to show.
        columns: Images in a row.
        steps: Student steps of the run.

    Returns:
        Paths of the figures.
    """
    policy = json.loads((run.folder / 'policy.json').read_text())
    history = History.from_dict(policy)
    augmenter_steps = sum(end - begin for begin, end in history.bands)
    figures = {
        'policy.png': plot_policy(history, end=steps + augmenter_steps),
        'confidence.png': plot_confidence(history),
    }
    os.chdir(ROOT)  # configs name teachers relative to it
    config = Config.fromfile(run.config)
    init_default_scope(config.get('default_scope', 'mmengine'))
    config.model.teacher.checkpoint = str(run.teacher.checkpoint)
    # As MMEngine's runner does: mmpretrain keeps it beside the model.
    config.model.setdefault('data_preprocessor', config.get('data_preprocessor'))
    model = MODELS.build(config.model)
    model.augmenter.policy.from_dict(policy)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    figures['augmented.png'] = plot_examples(model, dataset, range(images), run.seed, columns)
    return [save_figure(figure, folder / name) for name, figure in figures.items()]
