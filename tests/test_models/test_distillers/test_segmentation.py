"""SegmentationDistiller over real mmseg encoder-decoders."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData

from ..dense import distiller, segmentation_data, segmentor


def student_optimizer(model):
    return OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9))


def test_student_step():
    model = distiller('SegmentationDistiller', segmentor(), segmentor(width=48))
    losses = model.train_step(segmentation_data(), student_optimizer(model))
    assert {'decode.loss_ce', 'aux.loss_ce', 'loss_kd', 'loss_kd_aux'} <= set(losses)
    assert all(torch.isfinite(value).all() for value in losses.values())


def test_a_teacher_of_another_stride_without_auxiliary_head():
    teacher = segmentor(auxiliary=False)
    teacher.backbone.update(strides=(1, 2, 2, 2), dilations=(1, 1, 1, 1))
    model = distiller('SegmentationDistiller', segmentor(), teacher)
    losses = model.train_step(segmentation_data(), student_optimizer(model))
    assert losses['loss_kd'] > 0 and 'loss_kd_aux' not in losses


def test_label_maps_follow_and_keep_the_ignore_index():
    config = segmentor()
    config.decode_head.ignore_index = config.auxiliary_head.ignore_index = 254
    model = distiller('SegmentationDistiller', config)
    data = model.data_preprocessor(segmentation_data(), True)
    for sample in data['data_samples']:
        sample.gt_sem_seg.data[sample.gt_sem_seg.data == 255] = 254
    before = copy.deepcopy(data['data_samples'])
    model.augmenter.reseed(3)
    _, draw = model.augmenter(data['inputs'])
    moved = model.move_labels(data['data_samples'], draw)
    assert draw.moved_images
    for i, (old, given, new) in enumerate(zip(before, data['data_samples'], moved, strict=True)):
        assert torch.equal(old.gt_sem_seg.data, given.gt_sem_seg.data)
        assert set(new.gt_sem_seg.data.unique().tolist()) <= {0, 1, 2, 3, 4, 254}
        assert (new is given) == (i not in draw.moved_images)
        assert new.gt_sem_seg.data.dtype == old.gt_sem_seg.data.dtype
    losses = model(data['inputs'], moved, mode='loss')
    assert torch.isfinite(losses['decode.loss_ce'])


def test_padding_of_a_crop_stays_ignored():
    model = distiller('SegmentationDistiller', segmentor(), batch_mode='double')
    data = segmentation_data(size=(50, 70))  # the preprocessor pads to 64 x 96
    data = model.data_preprocessor(data, True)
    seen = {}
    head = model.student.decode_head
    original = head.loss_by_feat

    def watch(logits, samples):
        seen['samples'] = samples
        return original(logits, samples)

    head.loss_by_feat = watch
    model(data['inputs'], data['data_samples'], mode='loss')
    assert len(seen['samples']) == 4
    for sample in seen['samples']:
        assert (sample.gt_sem_seg.data[:, 50:] == 255).all()
        assert (sample.gt_sem_seg.data[:, :, 70:] == 255).all()


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='teacher has 7 classes, student 5'):
        distiller('SegmentationDistiller', segmentor(), segmentor(classes=7))
    model = distiller('SegmentationDistiller', segmentor())
    data = model.data_preprocessor(segmentation_data(), True)
    small = data['data_samples'][1]
    small.gt_sem_seg = PixelData(data=small.gt_sem_seg.data[:, :10])
    model.augmenter.reseed(2)
    _, draw = model.augmenter(data['inputs'])
    with pytest.raises(ValueError, match=r'gt_sem_seg\.data of image\.png is \(10, 96\)'):
        model.move_labels(data['data_samples'], draw)


def test_one_pixel_images_do_not_break_the_augmenter():
    model = distiller('SegmentationDistiller', segmentor())
    inputs = torch.zeros(2, 3, 1, 1)
    for seed in range(20):
        model.augmenter.reseed(seed)
        images, _ = model.augmenter(inputs)
        assert images.shape == inputs.shape and torch.isfinite(images).all()
