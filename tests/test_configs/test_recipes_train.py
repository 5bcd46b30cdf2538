"""Every recipe in small: it learns, its labels move, and it resumes bit for bit."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.structures import PixelData

from tst_mm.engine.safety.moved_labels import large_shift
from tst_mm.models import ClassificationDistiller
from tst_mm.models.distillers.labels import fresh

from .cut_recipe import IMAGES, MIDDLE, PER_EPOCH, STEPS, cut_recipe
from .recipe_data import write_all

RECIPES = {
    path.stem: path
    for path in sorted((Path(__file__).parents[2] / 'configs' / 'recipes').glob('*.py'))
}
#: The checkpoint in the middle of a run.
MIDDLES = (f'epoch_{MIDDLE // PER_EPOCH}.pth', f'iter_{MIDDLE}.pth')
#: What has a place in the images of a recipe, by words in its name.
LABELS = {
    '_coco': 'boxes',
    'mask': 'masks',
    'panoptic': 'gt_sem_seg',
    'cityscapes': 'gt_sem_seg',
    'ade20k': 'gt_sem_seg',
    'pidnet': 'gt_edge_map',
}

pytestmark = [
    pytest.mark.configs,
    pytest.mark.slow,
    pytest.mark.usefixtures('panopticapi'),
    pytest.mark.filterwarnings('ignore'),  # of the libraries, about sizes that are cut
]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Folders of tiny data sets, by words in the names of recipes."""
    return write_all(tmp_path_factory.mktemp('data'), IMAGES)


def build(name, data, folder, middle=None):
    """The runner of a recipe in small, which goes on from a checkpoint where one is given."""
    cfg = Config.fromfile(RECIPES[name])
    (root,) = {data[word] for word in data if word in name}
    cut_recipe(cfg, root, str(folder))
    cfg.experiment_name = folder.name + name
    if middle is not None:
        cfg.update(resume=True, load_from=str(middle))
    runner = Runner.from_cfg(cfg)
    settle(runner.model.teacher)
    return runner


@torch.no_grad()
def settle(teacher):
    """Let a teacher's norm layers see images once, as those of a trained network have."""
    generator = torch.Generator().manual_seed(0)
    images = []
    for size in (1, 4, 16, 64):  # of blocks of one colour
        blocks = torch.rand(4, 3, 128 // size, 128 // size, generator=generator) * 255
        images.append(blocks.repeat_interleave(size, 2).repeat_interleave(size, 3))
    teacher.model.init_weights()
    for module in teacher.model.train().modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    mean, std = teacher.normalization.mean, teacher.normalization.std
    teacher.model.extract_feat((torch.cat(images) - mean) / std)
    teacher.model.eval()


def student_of(folder):
    """The weights of the last student file."""
    last = max(folder.glob('student_*.pth'), key=lambda path: int(path.stem.rpartition('_')[2]))
    return torch.load(last, weights_only=True)['state_dict']


@pytest.mark.parametrize('name', RECIPES)
def test_learns_and_resumes(name, data, tmp_path):
    if 'timm' in name:
        pytest.importorskip('timm')
    runner = build(name, data, tmp_path / 'whole')
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == STEPS
    assert losses[-10:].mean() < losses[:10].mean()
    assert_labels_move(runner)

    (middle,) = (p for p in (tmp_path / 'whole').iterdir() if p.name in MIDDLES)
    again = build(name, data, tmp_path / 'again', middle)
    again.train()
    whole, resumed = (student_of(tmp_path / folder) for folder in ('whole', 'again'))
    assert whole.keys() == resumed.keys() == runner.model.student.state_dict().keys()
    assert [key for key in whole if not torch.equal(whole[key], resumed[key])] == []


def assert_labels_move(runner):
    """Images and all that has a place in them are shifted alike."""
    model, batch = runner.model, next(iter(runner.train_dataloader))
    batch = model.data_preprocessor(batch, True)
    images, samples = batch['inputs'], batch['data_samples']
    if isinstance(model, ClassificationDistiller):
        return
    sizes = [(int(h), int(w)) for h, w in model.valid_sizes(images, samples)]
    draw = large_shift(model.augmenter, sizes)
    moved_images = model.augmenter.transform(images, draw)
    moved = model.move_labels(fresh(samples), draw)
    checked = set()
    for i, (h, w) in enumerate(sizes):
        x, y = (int(v) for v in draw.matrix[i, :2, 2])

        def shifted(old, new, h=h, w=w, x=x, y=y):
            """The part that was inside before, where it is now."""
            return torch.equal(
                torch.as_tensor(old)[..., : h - y, : w - x], torch.as_tensor(new)[..., y:h, x:w]
            )

        error = moved_images[i, :, y:h, x:w] - images[i, :, : h - y, : w - x]
        assert error.abs().max() < 1e-3
        for field in ('gt_sem_seg', 'gt_edge_map'):
            for key, value in samples[i].get(field, PixelData()).items():
                assert shifted(value, moved[i].get(field).get(key)), (field, key)
                checked.add(field)
        if 'gt_instances' in samples[i]:
            old, new = samples[i].gt_instances, moved[i].gt_instances
            boxes = (old.bboxes + torch.tensor([x, y, x, y])).minimum(torch.tensor([w, h, w, h]))
            far = (new.bboxes[:, None] - boxes).abs().amax(2)
            assert (far.amin(1) < 0.01).all()
            checked |= {'boxes'} if len(far) else set()
            for j, k in enumerate(far.argmin(1) if 'masks' in old else []):
                assert shifted(old.masks.masks[k], new.masks.masks[j])
                checked.add('masks')
    assert checked >= {word for key, word in LABELS.items() if key in runner.cfg.filename}, checked
