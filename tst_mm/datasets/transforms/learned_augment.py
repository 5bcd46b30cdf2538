"""LearnedAugment: a found policy in the pipeline of any OpenMMLab library."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from torch import Tensor

from tst_mm.augment import Draw, LearnedAugmenter, Normalization
from tst_mm.augment.draw import Noise
from tst_mm.augment.policy_file import check_policy, check_share, magnitudes_of, read_policy
from tst_mm.registry import TRANSFORMS
from tst_mm.utils import closest

from .annotations import move_annotations
from .pixels import augment_pixels
from .progress import Progress

_DEFAULT_NUM_OPS = 4
_MID_GREY = 128.0
_ORDERS = ('bgr', 'rgb')


@TRANSFORMS.register_module()
class LearnedAugment(BaseTransform):
    """Augment images and their annotations as a found policy says, without teacher and augmenter.

    Operators, ranges, the number of operators an image, signs, fill and whether magnitudes are
    drawn or fixed are those of the run that found the policy. Put it behind what loads, resizes and
    crops, and before padding and packing. Randomness comes from NumPy's global generator, as for
    mmcv's own transforms.

    Required Keys:

    - img (np.uint8), (H, W) or (H, W, C)
    - gt_bboxes (HorizontalBoxes | np.ndarray) (optional)
    - gt_bboxes_labels (np.int64) (optional)
    - gt_masks (BitmapMasks | PolygonMasks) (optional)
    - gt_ignore_flags (bool) (optional)
    - gt_keypoints (np.ndarray), (n, k, 2) or (n, k, 3) with visibility (optional)
    - proposals (HorizontalBoxes | np.ndarray) and proposals_scores (optional)
    - gt_seg_map and other maps (np.ndarray), (H, W), ``gt_..._map`` or in seg_fields (optional)

    Modified Keys:

    - img
    - gt_bboxes
    - gt_bboxes_labels
    - gt_masks
    - gt_ignore_flags
    - gt_keypoints
    - proposals
    - proposals_scores
    - gt_seg_map and other maps

    Added Keys:

    - homography_matrix (np.float32), (3, 3), where pixels move

    Args:
        policy: The path of a ``policy.json``, its content, or the name of a shipped policy
            (``'fashion_mnist'``).
        num_ops: The number of operators drawn for each image. Defaults to that of the policy, else
            to 4, or to all where there are fewer.
        prob: The probability, in [0, 1], that the policy is applied to an image. Defaults to 1.
        schedule: Whether to follow the history of the policy: at a fraction of this training the
            policy is then the one that the student had at the same fraction of its training. Needs
            ``custom_hooks=[dict(type='tst_mm.PolicyProgressHook')]``. Defaults to False, the final
            policy all the time.
        fill: The grey value of pixels that come from outside or are erased, or one for each
            channel. Defaults to that of the policy, the mean colour of its network, else to 128.
        channel_order: The channel order of ``img``, ``'bgr'`` (default) or ``'rgb'``.
        seg_pad_val: The label of pixels that come from outside. Defaults to 255.
        min_size: The shortest side, in pixels, of a moved box that is kept. Defaults to 1.
        min_visible: The smallest part of a moved box, in [0, 1], that must stay in the image for
            the box to be kept. Defaults to 0.1.

    Raises:
        FileNotFoundError: There is no such policy file, and no such name.
        KeyError: The policy has an operator that is not known.
        ValueError: The policy or an argument is outside what is allowed.

    Example:
        >>> pipeline = [..., dict(type='tst_mm.LearnedAugment', policy='work_dirs/tst/policy.json')]
    """

    def __init__(
        self,
        policy: str | Path | Mapping[str, Any],
        num_ops: int | None = None,
        prob: float = 1.0,
        schedule: bool = False,
        fill: float | Sequence[float] | None = None,
        channel_order: str = 'bgr',
        seg_pad_val: int = 255,
        min_size: float = 1.0,
        min_visible: float = 0.1,
    ) -> None:
        if isinstance(policy, Mapping):
            check_policy(policy)
        else:
            policy = read_policy(policy)
        check_share('prob', prob)
        check_share('min_visible', min_visible)
        if channel_order not in _ORDERS:
            raise ValueError(
                f'channel_order is {channel_order!r}; {closest(channel_order, _ORDERS)}'
            )
        applied = policy.get('augmenter', {})
        if num_ops is None:
            num_ops = applied.get('num_ops', min(_DEFAULT_NUM_OPS, len(policy['operators'])))
        self.prob = prob
        self.channel_order = channel_order
        self.fill = _fill(fill, applied.get('fill'), channel_order)
        self.seg_pad_val = seg_pad_val
        self.min_size = min_size
        self.min_visible = min_visible
        self.augmenter = _FileAugmenter(
            operators=[_operator(entry) for entry in policy['operators']], num_ops=num_ops
        )
        self.augmenter.positive = applied.get('sign') == 'positive'
        self.augmenter.fixed = magnitudes_of(policy) == 'fixed'
        self.augmenter.policy.from_dict(policy)
        self.progress = Progress.shared() if schedule else None
        if schedule:
            self._starts, self._history = _history(policy)
            self._entry = -1

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Augment one image; see the class for the keys.

        Raises:
            TypeError: The image is not uint8, or annotations are of a kind that cannot follow.
            ValueError: Sizes or numbers of channels do not fit together.
        """
        image = results['img']
        if image.dtype != np.uint8 or image.ndim not in (2, 3):
            raise TypeError(
                f'img is {image.dtype} of shape {image.shape}; allowed: uint8 of (H, W) or '
                '(H, W, C). Put LearnedAugment before what makes floats of it'
            )
        draw = self._draw(*image.shape[:2])
        return results if draw is None else self.apply(results, draw)

    def apply(self, results: dict[str, Any], draw: Draw) -> dict[str, Any]:
        """Apply a draw to one image, for example to replay it."""
        image = results['img']
        # A flip leaves a view with negative strides, which neither OpenCV nor torch accepts.
        pixels = np.ascontiguousarray(image if image.ndim == 3 else image[..., None])
        channels = pixels.shape[-1]
        if len(self.fill) not in (1, channels):
            raise ValueError(
                f'fill has {len(self.fill)} values, img has {channels} channels; allowed: one '
                'value, or one a channel'
            )
        luma = Normalization(channel_order=self.channel_order).luma(channels)
        fill = np.broadcast_to(self.fill, channels).copy()
        results['img'] = augment_pixels(pixels, draw, luma, fill).reshape(image.shape)
        if draw.moved_images:
            move_annotations(results, draw, self.seg_pad_val, self.min_size, self.min_visible)
            before = results.get('homography_matrix', np.eye(3, dtype=np.float32))
            results['homography_matrix'] = draw.matrix[0].numpy() @ before
        return results

    @cache_randomness
    def _draw(self, height: int, width: int) -> Draw | None:
        # Returns None where the policy is not applied. A docstring would make Sphinx fail on what
        # mmcv wraps.
        if np.random.rand() >= self.prob:
            return None
        if self.progress is not None:
            self._follow(self.progress.read())
        self.augmenter.reseed(int(np.random.randint(2**63 - 1, dtype=np.int64)))
        with torch.no_grad():
            return self.augmenter.draw([(height, width)])

    def _follow(self, progress: float) -> None:
        """Take the policy of a fraction of training; before the first entry it is that entry."""
        entry = max(bisect_right(self._starts, progress) - 1, 0)
        if entry != self._entry:
            self.augmenter.policy.from_dict(self._history[entry])
            self._entry = entry

    def __repr__(self) -> str:
        rates = self.augmenter.policy.summary()
        words = ', '.join(f'{name} {entry["rate"]:.2f}' for name, entry in rates.items())
        return (
            f'{type(self).__name__}(num_ops={self.augmenter.num_ops}, prob={self.prob}, '
            f'schedule={self.progress is not None}, rates: {words})'
        )


class _FileAugmenter(LearnedAugmenter):
    """An augmenter that draws as a policy file says.

    Attributes:
        positive (bool): Whether signs are never drawn.
        fixed (bool): Whether every image gets the mean magnitude.
    """

    positive: bool = False
    fixed: bool = False

    def noise(self, batch: int, rows: int | None = None) -> Noise:
        """Draw the random numbers for a batch; all signs are 1 where they are never drawn."""
        noise = super().noise(batch, rows)
        if self.positive:
            noise.signs.fill_(1.0)
        return noise

    def sample_magnitudes(self, batch: int) -> Tensor:
        """Draw the magnitudes for a batch, (B, N), or take their means where they are fixed."""
        if self.fixed:
            return self.policy.magnitudes().expand(batch, -1)
        return super().sample_magnitudes(batch)


def _operator(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a policy file as an operator's config."""
    limit = entry.get('limit')
    return {'type': entry['name'], **({} if limit is None else {'limit': limit})}


def _fill(given: Any, found: Sequence[float] | None, channel_order: str) -> np.ndarray:
    """The grey values to fill with, (1,) or (C,), in the order of the image's channels."""
    if given is None:
        values = list(found or [_MID_GREY])
        values = values[::-1] if channel_order == 'rgb' else values
    else:
        values = list(given) if isinstance(given, Sequence) else [given]
    if not all(isinstance(value, (int, float)) and 0 <= value <= 255 for value in values):
        raise ValueError(f'fill is {given!r}; allowed: grey values, 0 to 255')
    return np.array(values, np.float32)


def _history(policy: Mapping[str, Any]) -> tuple[list[float], list[dict[str, Any]]]:
    """Fractions of training, and from each of them on the policy, as its file would have it."""
    history, total = policy.get('history'), policy.get('provenance', {}).get('max_iters')
    if not history or not isinstance(total, int) or total < 1:
        raise ValueError(
            'schedule=True, but the policy has no history or no provenance.max_iters; allowed: a '
            'policy.json as a run leaves it, or one exported with --history'
        )
    starts, policies = [], []
    for item in sorted(history, key=lambda item: item['iter']):
        values = zip(policy['operators'], item['rates'], item['magnitudes'], strict=True)
        entries = [
            {
                **entry,
                'rate': rate,
                'magnitude': None if entry.get('magnitude') is None else magnitude,
            }
            for entry, rate, magnitude in values
        ]
        starts.append(item['iter'] / total)
        policies.append({'version': policy['version'], 'operators': entries})
    return starts, policies
