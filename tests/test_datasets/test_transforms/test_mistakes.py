"""LearnedAugment: wrong arguments and results are told by name, value and what is allowed."""

import numpy as np
import pytest

from .test_learned_augment import MEAN_BGR, annotated, picture, policy, transform


@pytest.mark.parametrize(
    ('kwargs', 'error', 'words'),
    [
        ({'policy': 'none.json'}, FileNotFoundError, ["'none.json'"]),
        ({'policy': 'fashion_mnits'}, FileNotFoundError, ["did you mean 'fashion_mnist'?"]),
        ({'prob': 2}, ValueError, ['prob', '2', '0 to 1']),
        ({'num_ops': 0}, ValueError, ['num_ops is 0', '1 to 14']),
        ({'num_ops': 15}, ValueError, ['num_ops is 15', '1 to 14']),
        ({'fill': 300}, ValueError, ['fill is 300', '0 to 255']),
        ({'channel_order': 'brg'}, ValueError, ["'brg'", 'did you mean']),
        ({'min_visible': -1}, ValueError, ['min_visible', '-1']),
        ({'schedule': True}, ValueError, ['no history', '--history']),
        ({'polcy': 'a'}, TypeError, ['polcy']),
    ],
)
def test_wrong_arguments(kwargs, error, words):
    with pytest.raises(error) as caught:
        transform(**kwargs)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ('changes', 'error', 'words'),
    [
        ({'img': picture().astype(np.float32)}, TypeError, ['float32', 'uint8']),
        ({'img': picture()[..., :2]}, ValueError, ['fill has 3 values', '2 channels']),
        ({'gt_seg_map': np.zeros((5, 5), np.uint8)}, ValueError, ['gt_seg_map', '(5, 5)']),
        ({'gt_bboxes': [[1, 2, 3, 4]]}, TypeError, ['gt_bboxes are list']),
        ({'gt_masks': np.zeros((3, 5, 5))}, TypeError, ['gt_masks are ndarray', 'BitmapMasks']),
    ],
)
def test_results_that_cannot_follow(changes, error, words):
    turning = {**policy(), 'augmenter': {'num_ops': 14, 'fill': MEAN_BGR}}
    with pytest.raises(error) as caught:
        transform(turning)({**annotated(), **changes})
    assert all(word in str(caught.value) for word in words)
