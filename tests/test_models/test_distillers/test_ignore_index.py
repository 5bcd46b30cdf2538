"""Pixels that do not count have one label, which every head ignores."""

from __future__ import annotations

import pytest
import torch

from ..dense import distiller, segmentation_data, segmentor

#: Moves every image to the right by at least a third of its width.
SHIFT = dict(
    type='tst_mm.LearnedAugmenter',
    operators=['TranslateX'],
    num_ops=1,
    init=dict(rate=1.0, magnitude=0.7),
    sign='positive',
)


def network(decode: int, auxiliary: int):
    config = segmentor()
    config.decode_head.ignore_index, config.auxiliary_head.ignore_index = decode, auxiliary
    return config


def data(ignored: int = 255):
    """Labels 1 to 4 and ignored pixels, so that 0 may be the ignored one."""
    given = segmentation_data()
    for sample in given['data_samples']:
        labels = sample.gt_sem_seg.data
        sample.gt_sem_seg.data = torch.where(labels == 255, ignored, labels.clamp(min=1))
    return given


@pytest.mark.parametrize('indices', [(0, 255), (255, 0)])
def test_heads_with_several_are_refused(indices):
    """Pixels from outside would be a class to one of them, or no label at all."""
    message = (
        rf'student: ignore_index differs between heads \(decode_head {indices[0]}, auxiliary_head '
        rf'{indices[1]}\).*allowed: set one ignore_index for all'
    )
    with pytest.raises(ValueError, match=message):
        distiller('SegmentationDistiller', network(*indices), segmentor(), augmenter=SHIFT)
    plain = distiller('SegmentationDistiller', network(*indices), segmentor(), augmenter=None)
    assert plain.student.decode_head.ignore_index == indices[0]  # without moves nothing is wrong


@pytest.mark.parametrize('ignored', [0, 255])
def test_no_head_learns_from_pixels_from_outside(ignored):
    student = network(ignored, ignored)
    model = distiller('SegmentationDistiller', student, augmenter=SHIFT, batch_mode='double')
    kept = {}

    def keep(name, output):
        output.retain_grad()
        kept[name] = output

    for name in ('decode_head', 'auxiliary_head'):
        layer = getattr(model.student, name).conv_seg
        layer.register_forward_hook(lambda _, args, output, name=name: keep(name, output))
    losses = model(**model.data_preprocessor(data(ignored), True), mode='loss')
    assert len(model.draw.moved_images) == 2
    sum(value for name, value in losses.items() if 'loss_ce' in name).backward()
    for name, logits in kept.items():
        assert not logits.grad[:2, :, :, 0].any(), name
        assert logits.grad[:2, :, :, -1].any(), name


def test_a_teacher_ignores_what_the_student_does():
    """Its losses are computed on the student's labels, moved ones too."""
    model = distiller('SegmentationDistiller', segmentor(), network(0, 0), augmenter=SHIFT)
    score = model.score(data(), draws=2)
    assert score['loss_teacher'].isfinite().all()
    same = distiller('SegmentationDistiller', segmentor(), segmentor(), augmenter=SHIFT)
    same.teacher.model.load_state_dict(model.teacher.model.state_dict())
    same.augmenter.reseed(1)
    model.augmenter.reseed(1)
    torch.testing.assert_close(
        model.score(data())['loss_teacher'], same.score(data())['loss_teacher']
    )
