"""The batches of the augmenter stages: the student's data in another order than its own."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from tst_mm.engine.data.seeded_data import SeededBatches, seeded_dataset, seeded_loader
from tst_mm.engine.safety.config_checks import check_loader


def build_stage_loader(
    runner: Runner, config: Mapping[str, Any] | None = None
) -> tuple[DataLoader, SeededBatches]:
    """Build the loader of the augmenter stages.

    Args:
        runner: A runner with a built train loop.
        config: The entries that differ from the run's ``train_dataloader``, by key. The data set
            is shared unless the config has one; sampler and workers never are. Defaults to None,
            no difference.

    Returns:
        The loader, and its batch sampler, which chooses the steps that it gives.

    Raises:
        ValueError: The data give no batch.
    """
    check_loader('AlternatingScheduleHook.dataloader', config or {})
    cfg = {**_config_of_training(runner), **deepcopy(dict(config or {}))}
    sampler = cfg.get('sampler')
    if isinstance(sampler, Mapping) and _is_infinite(sampler.get('type')):
        # A stage counts passes over the data, which an endless sampler does not have.
        cfg['sampler'] = {**sampler, 'type': 'DefaultSampler'}
    # The workers end with the stage.
    cfg['persistent_workers'] = False
    # Ranks share out one order, so all samplers take the seed of rank 0.
    different = runner._randomness_cfg.get('diff_rank_seed', False)
    loader = runner.build_dataloader(cfg, seed=runner.seed - get_rank() * different)
    if not len(loader):
        raise ValueError('the augmenter stages have no batch: the data set is smaller than one')
    batches = SeededBatches(loader.batch_sampler, runner.seed)
    return seeded_loader(loader, batches), batches


def _config_of_training(runner: Runner) -> dict[str, Any]:
    """The train dataloader of the run as a config around its built data set."""
    loader = runner.train_dataloader
    config = runner._train_dataloader
    if isinstance(config, Mapping):
        cfg = {key: deepcopy(value) for key, value in config.items() if key != 'dataset'}
        cfg.pop('num_batch_per_epoch', None)  # the built data set is cut already
    else:
        cfg = {
            'batch_size': loader.batch_size,
            'num_workers': loader.num_workers,
            'collate_fn': loader.collate_fn,
            'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        }
    # In this wrapping a deep copy of the config does not copy the data.
    return {**cfg, 'dataset': seeded_dataset(loader.dataset)}


def _is_infinite(kind: Any) -> bool:
    return (DATA_SAMPLERS.get(kind) if isinstance(kind, str) else kind) is InfiniteSampler
