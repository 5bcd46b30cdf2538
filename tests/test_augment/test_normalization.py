"""Normalization: read off the real preprocessors, back to pixels, between two networks."""

import numpy as np
import pytest
import torch
from mmengine.model import ImgDataPreprocessor

from tst_mm.augment import Normalization

from .helpers import IMAGENET_MEAN, IMAGENET_STD, photo

BGR_MEAN, BGR_STD = IMAGENET_MEAN[::-1], IMAGENET_STD[::-1]


def preprocessor(library, swap, mean, std):
    """The real preprocessor of a library; imported here, for they are heavy."""
    if library == 'mmengine':
        return ImgDataPreprocessor(mean=mean, std=std, bgr_to_rgb=swap)
    if library == 'mmpretrain':
        from mmpretrain.models.utils.data_preprocessor import ClsDataPreprocessor

        return ClsDataPreprocessor(mean=mean, std=std, to_rgb=swap)
    if library == 'mmdet':
        from mmdet.models.data_preprocessors import DetDataPreprocessor

        return DetDataPreprocessor(mean=mean, std=std, bgr_to_rgb=swap)
    from mmseg.models.data_preprocessor import SegDataPreProcessor

    return SegDataPreProcessor(mean=mean, std=std, bgr_to_rgb=swap, size=(24, 32), test_cfg={})


@pytest.mark.parametrize('swap', [True, False])
@pytest.mark.parametrize('normalise', [True, False])
@pytest.mark.parametrize('library', ['mmengine', 'mmpretrain', 'mmdet', 'mmseg'])
def test_pixels_come_back_from_the_real_preprocessors(library, normalise, swap):
    """Load as OpenMMLab does (BGR, uint8), preprocess, undo: the photograph in the stated order."""
    rgb = torch.from_numpy(np.array(photo('astronaut', 24, 32))).permute(2, 0, 1)
    stats = (IMAGENET_MEAN, IMAGENET_STD) if swap else (BGR_MEAN, BGR_STD)
    mean, std = stats if normalise else (None, None)
    module = preprocessor(library, swap, mean, std)
    inputs = {'inputs': [rgb.flip(0).contiguous()]}
    if library == 'mmseg':
        from mmseg.structures import SegDataSample

        inputs['data_samples'] = [SegDataSample(metainfo={'img_shape': (24, 32)})]
    elif library == 'mmdet':
        inputs['data_samples'] = None
    result = module(inputs)['inputs'].float()

    normalization = Normalization.from_data_preprocessor(module)
    assert normalization.channel_order == ('rgb' if swap else 'bgr')
    pixels = normalization.to_unit(result)[0] * 255
    expected = rgb.float() if swap else rgb.flip(0).float()
    torch.testing.assert_close(pixels, expected, atol=1e-3, rtol=0)


def test_a_change_goes_back():
    normalization = Normalization(IMAGENET_MEAN, IMAGENET_STD)
    inputs, delta = torch.randn(2, 3, 4, 5), torch.rand(2, 3, 4, 5) - 0.5
    moved = inputs + normalization.delta_to_input(delta)
    torch.testing.assert_close(
        normalization.to_unit(moved) - normalization.to_unit(inputs), delta, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize('mean', [[0, 0, 0], [0.0, 0.0, 0.0]])
def test_grey_weights(mean):
    """Also for means given in whole numbers."""
    rgb = Normalization(mean, [255, 255, 255])
    bgr = Normalization(mean, [255, 255, 255], 'bgr')
    expected = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    torch.testing.assert_close(rgb.luma(3), expected)
    torch.testing.assert_close(bgr.luma(3), expected.flip(0))
    for channels in (1, 2, 4):
        assert rgb.luma(channels).flatten().tolist() == [1 / channels] * channels


def test_between_student_and_teacher():
    student = Normalization(IMAGENET_MEAN, IMAGENET_STD, 'rgb')
    teacher = Normalization((0.0,), (255.0,), 'bgr')
    pixels = torch.rand(2, 3, 4, 5) * 255
    seen_by_student = (pixels - student.mean) / student.std
    converted = student.convert(seen_by_student, teacher)
    torch.testing.assert_close(converted, pixels.flip(1) / 255, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        teacher.convert(converted, student), seen_by_student, atol=1e-5, rtol=0
    )


def test_same_as():
    base = Normalization(IMAGENET_MEAN, IMAGENET_STD)
    assert base.same_as(Normalization(IMAGENET_MEAN, IMAGENET_STD))
    assert not base.same_as(Normalization(IMAGENET_MEAN, IMAGENET_STD, 'bgr'))
    assert not base.same_as(Normalization(IMAGENET_MEAN, BGR_STD))
    assert not base.same_as(Normalization(BGR_MEAN, IMAGENET_STD))


def test_nothing_is_stored_and_everything_follows():
    normalization = Normalization(IMAGENET_MEAN, IMAGENET_STD)
    assert not normalization.state_dict() and not list(normalization.parameters())
    assert normalization.to('meta').mean.device.type == 'meta'


class Preprocessor:
    """What is read of a data preprocessor."""

    _enable_normalize = True

    def __init__(self, mean, std):
        self.mean, self.std = torch.tensor(mean), torch.tensor(std)


def test_means_below_one_are_those_of_images_from_0_to_1():
    unit = Normalization.from_data_preprocessor(Preprocessor([0.5, 0.4, 0.3], [0.2, 0.2, 0.25]))
    torch.testing.assert_close(unit.mean.flatten(), torch.tensor([0.5, 0.4, 0.3]) * 255)
    low, high = unit.limits()
    torch.testing.assert_close(low.flatten(), torch.tensor([-2.5, -2.0, -1.2]))
    torch.testing.assert_close(high.flatten(), torch.tensor([2.5, 3.0, 2.8]))
    grey = Normalization.from_data_preprocessor(Preprocessor([0.0] * 3, [1.0] * 3))
    assert grey.std.flatten().tolist() == [1, 1, 1]


def test_images_of_another_range_are_refused():
    pixels = torch.randint(0, 256, (2, 3, 8, 8)).float()
    for right in (pixels, torch.zeros(2, 3, 8, 8), (pixels > 128).float()):
        Normalization().check_once(right)
    for wrong in (pixels / 255, (pixels - 120) / 60, pixels * 100):
        with pytest.raises(ValueError, match=r'grey levels of 0 to 255.*data_preprocessor'):
            Normalization().check_once(wrong)
    rgb = Normalization(IMAGENET_MEAN, IMAGENET_STD)
    rgb.check_once((pixels - rgb.mean) / rgb.std)
    rgb.check_once(pixels)  # only the first batch is looked at
