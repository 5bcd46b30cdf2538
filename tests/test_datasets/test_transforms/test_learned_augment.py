"""LearnedAugment: what the augmenter does to a batch, on one image of a pipeline."""

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from test_augment.helpers import GEOMETRIC, LEARNED, draw_of, photo

from tst_mm.augment import LearnedAugmenter, Normalization, move_boxes, move_maps
from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.augment.warp import source_points
from tst_mm.registry import TRANSFORMS

HEIGHT, WIDTH = 60, 80
MEAN_BGR = [103.53, 116.28, 123.675]
BOXES = np.array([[10, 12, 40, 50], [50, 5, 79, 30], [0, 0, 12, 12]], np.float32)


def policy(rate=1.0, magnitude=0.5, **more):
    """The content of a policy file over all operators."""
    entries = [
        {'name': name, 'rate': rate, 'magnitude': magnitude if name in LEARNED else None}
        for name in DEFAULT_OPERATORS
    ]
    applied = {'num_ops': 4, 'sign': 'random', 'magnitudes': 'spread', 'fill': MEAN_BGR}
    return {'version': 2, 'operators': entries, 'augmenter': applied, **more}


def transform(content=None, **kwargs):
    config = {'type': 'tst_mm.LearnedAugment', 'policy': content or policy(), **kwargs}
    return TRANSFORMS.build(config)


def picture(color=True):
    """(H, W, 3) or (H, W) uint8."""
    return np.array(photo('astronaut' if color else 'camera', HEIGHT, WIDTH))


def masks(kind=BitmapMasks):
    if kind is PolygonMasks:
        outlines = [[np.array([x, y, u, y, u, v, x, v])] for x, y, u, v in BOXES]
        return PolygonMasks(outlines, HEIGHT, WIDTH)
    bitmaps = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    for bitmap, (x, y, u, v) in zip(bitmaps, BOXES.astype(int), strict=True):
        bitmap[y:v, x:u] = 1
    return BitmapMasks(bitmaps, HEIGHT, WIDTH)


def label_map(dtype=np.uint8):
    return (picture().astype(int).sum(2) // 96).astype(dtype)


def annotated():
    """Results with every key."""
    return {
        'img': picture(),
        'img_shape': (HEIGHT, WIDTH),
        'gt_bboxes': HorizontalBoxes(BOXES),
        'gt_bboxes_labels': np.array([7, 8, 9]),
        'gt_ignore_flags': np.array([False, True, False]),
        'gt_masks': masks(),
        'gt_seg_map': label_map(),
        'img_path': 'a.png',
    }


def reference(image, draw):
    """The augmenter's own result, in grey values, not rounded."""
    augmenter = LearnedAugmenter()
    order, channels = 'bgr', 1 if image.ndim == 2 else 3
    mean, std = (MEAN_BGR, [58.0] * 3) if channels == 3 else ([100.0], [50.0])
    augmenter.normalization = norm = Normalization(mean, std, order)
    pixels = torch.from_numpy(image.reshape(HEIGHT, WIDTH, channels)).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        new = augmenter.transform((pixels - norm.mean) / norm.std, draw)
    return ((new * norm.std + norm.mean)[0].permute(1, 2, 0)).reshape(image.shape).numpy()


@given(
    chosen=st.lists(st.sampled_from(DEFAULT_OPERATORS), min_size=1, max_size=5, unique=True),
    level=st.floats(-1, 1),
    color=st.booleans(),
)
@settings(max_examples=60)
def test_same_draw_same_image(chosen, level, color):
    """Within two grey values, except where a step function's input lies on a step."""
    ours = transform(fill=None if color else 100)
    levels = {
        name: level if name not in ('Posterize', 'Solarize') else abs(level)
        for name in chosen
        if name in LEARNED
    }
    draw = draw_of(ours.augmenter, [(HEIGHT, WIDTH)], dict.fromkeys(chosen, 1.0), levels)
    image = picture(color)
    new = ours.apply({'img': image.copy()}, draw)['img']
    assert new.dtype == np.uint8 and new.shape == image.shape
    difference = np.abs(new - reference(image, draw))
    assert (difference > 2).mean() < 1e-3
    if not {'Posterize', 'Solarize', 'Equalize'} & set(chosen):
        assert difference.max() <= 2


@pytest.mark.parametrize('name', DEFAULT_OPERATORS)
def test_each_operator_is_the_augmenters(name):
    ours = transform()
    draw = draw_of(ours.augmenter, [(HEIGHT, WIDTH)], {name: 1.0}, {name: 0.7})
    image = picture()
    new = ours.apply({'img': image.copy()}, draw)['img']
    assert np.abs(new - reference(image, draw)).max() <= (1 if name not in GEOMETRIC else 2)
    assert not np.array_equal(new, image)


@given(
    name=st.sampled_from(GEOMETRIC),
    level=st.floats(-1, 1),
    keys=st.sets(st.sampled_from(['boxes', 'bitmaps', 'polygons', 'labels', 'flags', 'map'])),
    array=st.booleans(),
)
@settings(max_examples=80)
def test_labels_follow_for_every_combination_of_keys(name, level, keys, array):
    ours = transform()
    draw = draw_of(ours.augmenter, [(HEIGHT, WIDTH)], {name: 1.0}, {name: level})
    results = {'img': picture(), 'img_path': 'a.png'}
    if 'boxes' in keys:
        results['gt_bboxes'] = BOXES.copy() if array else HorizontalBoxes(BOXES)
    if 'bitmaps' in keys or 'polygons' in keys:
        results['gt_masks'] = masks(BitmapMasks if 'bitmaps' in keys else PolygonMasks)
    instances = {'gt_bboxes', 'gt_masks'} & results.keys()
    if instances and 'labels' in keys:
        results['gt_bboxes_labels'] = np.array([7, 8, 9])
    if instances and 'flags' in keys:
        results['gt_ignore_flags'] = np.array([False, True, False])
    if 'map' in keys:
        results['gt_seg_map'] = label_map()
    given_keys, before = set(results), copy.deepcopy(results)
    new = ours.apply(dict(results), draw)

    assert set(new) == given_keys | {'homography_matrix'}
    assert new['img_path'] == 'a.png'
    for key in given_keys - {'img_path'}:  # what was given is not modified
        old, same = (r[key] for r in (before, results))
        old, same = (getattr(r, 'tensor', getattr(r, 'masks', r)) for r in (old, same))
        assert str(old) == str(same)
    matrix, extents = draw.matrix.expand(3, 3, 3), draw.extents.expand(3, 2)
    boxes, keep = move_boxes(torch.from_numpy(BOXES), matrix, extents)
    if 'gt_bboxes' in new:
        found = new['gt_bboxes'] if array else new['gt_bboxes'].numpy()
        assert type(new['gt_bboxes']) is type(results['gt_bboxes'])
        np.testing.assert_allclose(found, boxes[keep].numpy(), atol=1)
    if 'gt_masks' in new:
        assert len(new['gt_masks']) == keep.sum()
    if 'bitmaps' in keys:
        assert follows(new['gt_masks'].masks, masks().masks[keep.numpy()], draw, 0)
    if 'gt_bboxes_labels' in new:
        assert new['gt_bboxes_labels'].tolist() == np.array([7, 8, 9])[keep.numpy()].tolist()
    if 'gt_ignore_flags' in new:
        assert len(new['gt_ignore_flags']) == keep.sum()
    if 'map' in keys:
        assert follows(new['gt_seg_map'][None], label_map()[None], draw, 255)


def follows(found, source, draw, fill) -> bool:
    """Whether each pixel has the label of where it comes from, or of a neighbour there."""
    expected = move_maps(torch.from_numpy(source), draw.matrix, draw.extents, fill).numpy()
    x, y = source_points(draw.matrix, HEIGHT, WIDTH)[0].floor().int().numpy().transpose(2, 0, 1)
    around = np.pad(source, ((0, 0), (2, 2), (2, 2)), constant_values=fill)
    x, y = np.clip(x, -1, WIDTH) + 2, np.clip(y, -1, HEIGHT) + 2
    near = [around[:, y + dy, x + dx] == found for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    exact = found.size == 0 or (found == expected).mean() > 0.99
    return found.dtype == source.dtype and exact and np.any(near, axis=0).all()


@pytest.mark.parametrize('dtype', [np.uint8, np.int16, np.int32, np.int64])
def test_label_maps_of_any_integer(dtype):
    ours = transform(seg_pad_val=19)
    draw = draw_of(ours.augmenter, [(HEIGHT, WIDTH)], {'TranslateX': 1.0}, {'TranslateX': 0.5})
    new = ours.apply({'img': picture(), 'gt_seg_map': label_map(dtype)}, draw)['gt_seg_map']
    shift = round(0.5 * 150 / 331 * WIDTH)
    assert new.dtype == dtype
    assert (new[:, : shift - 1] == 19).all()
    assert np.array_equal(new[:, shift + 1 :], label_map(dtype)[:, 1 : WIDTH - shift])


def test_boxes_that_leave_the_image_go_with_all_they_have():
    draw = draw_of(
        transform().augmenter, [(HEIGHT, WIDTH)], {'TranslateX': 1.0}, {'TranslateX': 0.5}
    )
    for least, kept in ((0.1, [7, 8, 9]), (0.5, [7, 9])):
        new = transform(min_visible=least).apply(annotated(), draw)
        assert new['gt_bboxes_labels'].tolist() == kept
        assert len(new['gt_bboxes']) == len(new['gt_masks']) == len(new['gt_ignore_flags'])
    assert len(transform(min_size=31).apply(annotated(), draw)['gt_bboxes']) == 0


def test_a_flipped_view_and_a_single_channel():
    ours = transform(fill=[0])
    for image in (picture()[:, ::-1], picture(color=False), picture(color=False)[..., None]):
        new = ours({'img': image, 'gt_seg_map': label_map()[:, ::-1]})['img']
        assert new.shape == image.shape and new.dtype == np.uint8


def test_nothing_acts():
    image = picture()
    for quiet in (transform(policy(rate=0)), transform(prob=0)):
        results = quiet({'img': image, 'gt_bboxes': BOXES})
        assert results['img'] is image or np.array_equal(results['img'], image)
        assert results['gt_bboxes'] is BOXES and 'homography_matrix' not in results


def test_prob_and_num_ops():
    image = picture()
    sometimes = transform(prob=0.25, num_ops=1)
    changed = sum(not np.array_equal(sometimes({'img': image})['img'], image) for _ in range(200))
    assert 25 < changed < 75
    for num_ops, expected in ((14, 14), (2, 2), (None, 4)):
        ours = transform(num_ops=num_ops)
        assert ours._draw(HEIGHT, WIDTH).gates.sum() == expected


def test_rates_are_those_of_the_policy():
    ours = transform({**policy(rate=0.3), 'augmenter': {'num_ops': 14}})
    drawn = torch.cat([ours._draw(HEIGHT, WIDTH).gates for _ in range(400)])
    assert torch.allclose(drawn.mean(0), torch.full((14,), 0.3), atol=0.09)


@pytest.mark.parametrize('version', [1, 2])
@pytest.mark.parametrize('sign', ['random', 'positive'])
def test_magnitudes_and_signs_are_taken_as_the_file_says(version, sign):
    """Version 1 knows one magnitude for all images; version 2 says whether it is a mean."""
    for magnitudes in ('fixed', 'spread'):
        content = policy(magnitude=0.3)
        content['version'] = version
        content['augmenter'].update(sign=sign, magnitudes=magnitudes)
        ours = transform(content)
        levels = torch.cat([ours._draw(HEIGHT, WIDTH).levels for _ in range(100)])[:, :11]
        if magnitudes == 'fixed' or version == 1:
            torch.testing.assert_close(levels.abs(), torch.full((100, 11), 0.3))
        else:
            assert levels.abs().mean().item() == pytest.approx(0.3, abs=0.04)
            assert levels.abs().std() > 0.15
        assert bool((levels < 0).any()) == (sign == 'random')


def test_numpys_generator_decides():
    ours = transform()

    def images():
        return [ours({'img': picture()})['img'] for _ in range(5)]

    np.random.seed(1)
    first = images()
    torch.manual_seed(5)  # has no say
    np.random.seed(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, images(), strict=True))
    np.random.seed(2)
    assert not all(np.array_equal(a, b) for a, b in zip(first, images(), strict=True))


def test_survives_a_copy_and_a_pickle():
    ours = transform(policy(history=HISTORY, provenance={'max_iters': 100}), schedule=True)
    ours.progress.write(0.5)
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(transform()))):
        np.random.seed(3)
        expected = transform() if twin.progress is None else ours
        expected = expected({'img': picture()})['img']
        np.random.seed(3)
        assert np.array_equal(twin({'img': picture()})['img'], expected)


HISTORY = [
    {'stage': i, 'step': 1, 'iter': it, 'rates': [rate] * 14, 'magnitudes': [0.25] * 14}
    for i, (it, rate) in enumerate([(20, 0.1), (60, 0.9)])
]


def test_schedule_follows_the_history():
    ours = transform(policy(history=HISTORY, provenance={'max_iters': 100}), schedule=True)
    for progress, rate in ((0.0, 0.1), (0.59, 0.1), (0.6, 0.9), (1.0, 0.9), (0.1, 0.1)):
        ours.progress.write(progress)
        ours._draw(HEIGHT, WIDTH)
        torch.testing.assert_close(
            ours.augmenter.policy.rates(), torch.full((14,), rate), atol=1e-5, rtol=0
        )
    assert ours.augmenter.policy.summary()['Rotate']['magnitude'] == pytest.approx(0.25)


def test_schedule_without_the_hook_says_so():
    ours = transform(policy(history=HISTORY, provenance={'max_iters': 100}), schedule=True)
    ours.progress.write(float('nan'))
    with pytest.raises(RuntimeError, match='PolicyProgressHook'):
        ours({'img': picture()})


def test_learned_with_another_range():
    wide = LearnedAugmenter(ranges={'Rotate': 60}).policy.to_dict()
    rotate = transform(wide).augmenter.operators[DEFAULT_OPERATORS.index('Rotate')]
    assert rotate.limit == 60


def test_repr_tells_the_rates():
    assert 'num_ops=4' in repr(transform()) and 'Rotate 1.00' in repr(transform())


def test_a_shipped_policy_goes_by_its_name():
    augment = transform('fashion_mnist')
    rates = dict(zip(augment.augmenter.policy.names, augment.augmenter.policy.rates(), strict=True))
    assert rates['TranslateX'] > 0.7 > rates['Posterize']
    assert augment({'img': picture()})['img'].shape == (HEIGHT, WIDTH, 3)
