"""LearnedAugment where it is used: on loader workers, in mmdet's mixed data sets, in a run."""

import json

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, worker_init_fn
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from test_engine.toy import STUDENT, toy_config
from torch.utils.data import DataLoader

from tst_mm.registry import DATASETS

from .test_learned_augment import HISTORY, policy


def first_batches(num_workers, seed):
    """Images of two batches of Fashion-MNIST through LearnedAugment."""
    augment = {'type': 'tst_mm.LearnedAugment', 'policy': policy(), 'fill': 0}
    dataset = DATASETS.build(
        {
            'type': 'tst_mm.EmbeddedFashionMNIST',
            'split': 'train',
            'indices': 16,
            'pipeline': [augment, {'type': 'mmpretrain.PackInputs'}],
        }
    )
    loader = DataLoader(
        dataset,
        batch_size=8,
        num_workers=num_workers,
        collate_fn=list,
        worker_init_fn=lambda worker: worker_init_fn(worker, num_workers, 0, seed),
    )
    return torch.stack([item['inputs'] for batch in loader for item in batch])


def test_two_workers_seeded():
    first = first_batches(2, seed=3)
    assert torch.equal(first, first_batches(2, seed=3))
    assert not torch.equal(first, first_batches(2, seed=4))
    assert not torch.equal(first[:8], first[8:])


def test_inside_multi_image_mix_dataset():
    """After Mosaic, whose boxes come from four images."""
    import mmdet.datasets  # noqa: F401

    init_default_scope('mmdet')
    load = {'type': 'tst_mm.LearnedAugment', 'policy': policy()}
    mixed = DATASETS.build(
        {
            'type': 'mmdet.MultiImageMixDataset',
            'dataset': Scenes(),
            'pipeline': [{'type': 'mmdet.Mosaic', 'img_scale': (64, 64)}, load],
        }
    )

    def samples():
        np.random.seed(0)
        return [mixed[i] for i in range(4)]

    first, again = samples(), samples()
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one['img'], two['img'])
        assert one['img'].shape == (128, 128, 3) and one['img'].dtype == np.uint8
        boxes = one['gt_bboxes'].tensor
        assert len(boxes) == len(one['gt_bboxes_labels']) == len(one['gt_ignore_flags'])
        assert (boxes >= 0).all() and (boxes <= 128).all()
    assert any('homography_matrix' in sample for sample in first)


class Scenes(BaseDataset):
    """Images with two boxes, as a loading pipeline of mmdet leaves them."""

    METAINFO = {'classes': ('thing',)}

    def load_data_list(self):
        return [{'index': i} for i in range(6)]

    def __getitem__(self, index):
        from mmdet.structures.bbox import HorizontalBoxes

        boxes = np.array([[5, 5, 30, 40], [20, 30, 60, 60]], np.float32)
        return {
            'img': np.random.default_rng(index).integers(0, 255, (64, 64, 3), np.uint8),
            'img_shape': (64, 64),
            'gt_bboxes': HorizontalBoxes(boxes),
            'gt_bboxes_labels': np.array([0, 0]),
            'gt_ignore_flags': np.array([False, False]),
        }


@pytest.mark.slow
def test_schedule_reaches_workers_that_live_on(tmp_path):
    """A plain student's training, whose policy follows the history of another run."""
    history = [dict(entry, iter=begin) for entry, begin in zip(HISTORY, (0, 50), strict=True)]
    (tmp_path / 'policy.json').write_text(
        json.dumps(policy(rate=0.5, history=history, provenance={'max_iters': 100}))
    )
    config = toy_config(tmp_path / 'run', {'stages': []}, length=6)
    config.model = STUDENT
    config.custom_hooks = [{'type': 'tst_mm.PolicyProgressHook'}]
    config.default_hooks.pop('student')
    loader = config.train_dataloader
    loader.update(num_workers=1, persistent_workers=True)
    augment = {
        'type': 'tst_mm.LearnedAugment',
        'policy': str(tmp_path / 'policy.json'),
        'fill': 0,
        'schedule': True,
    }
    loader.dataset.pipeline = [augment, {'type': 'mmpretrain.PackInputs'}]
    runner = Runner.from_cfg(config)
    dataset = runner.build_dataloader(loader).dataset
    watched = dataset.pipeline.transforms[0]
    apply, log = watched.transform, tmp_path / 'rates'

    def transform(results):
        results = apply(results)
        with open(log, 'a') as file:
            print(round(watched.augmenter.policy.rates()[0].item(), 2), file=file)
        return results

    watched.transform = transform
    runner._train_dataloader['dataset'] = dataset
    runner.train()
    rates = log.read_text().split()
    assert set(rates) == {'0.1', '0.9'} and sorted(rates) == rates
    assert 0.3 < rates.count('0.9') / len(rates) < 0.5  # a little late: batches are loaded ahead
