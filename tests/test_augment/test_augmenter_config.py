"""LearnedAugmenter as built from a config: every key, every error, an own operator."""

import pytest
import torch
from mmengine.registry import DefaultScope

from tst_mm.augment import LearnedAugmenter
from tst_mm.augment.operators import DEFAULT_OPERATORS, ColorOperator
from tst_mm.registry import MODELS, OPERATORS

from .helpers import LEARNED, batch, draw_of, imagenet_augmenter, photo, to_unit


def test_defaults():
    """The paper's operators; fewer of them on an image, which experiments chose."""
    augmenter = LearnedAugmenter()
    assert tuple(op.name for op in augmenter.operators) == DEFAULT_OPERATORS
    assert augmenter.num_ops == 2
    assert sum(parameter.numel() for parameter in augmenter.parameters()) == 25


def test_built_from_a_config_in_any_scope(monkeypatch):
    """A default scope of another library leads to no warning about operators."""
    said = []
    monkeypatch.setattr('mmengine.logging.print_log', lambda *args, **_: said.append(args[0]))
    config = dict(
        type='tst_mm.LearnedAugmenter',
        operators=['Invert', dict(type='Rotate', limit=45), 'Solarize'],
        ranges=dict(Solarize=64),
        num_ops=2,
        init=dict(rate=dict(Invert=0.1), magnitude=0.25),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        augmenter = MODELS.build(config)
    summary = augmenter.policy.summary()
    assert summary['Rotate']['physical'] == pytest.approx(45 / 4)
    assert summary['Solarize']['physical'] == pytest.approx(256 - 192 / 4)
    assert summary['Invert']['rate'] == pytest.approx(0.1)
    assert not [message for message in said if 'Failed to search' in message]


def test_every_key_has_an_effect():
    """Each argument changes what comes out of the same seed."""
    inputs = batch(4)

    def images(**kwargs):
        augmenter = imagenet_augmenter(**kwargs)
        augmenter.reseed(2)
        return augmenter(inputs)[0]

    plain = images()
    assert torch.equal(images(), plain)
    for key, value in dict(
        operators=DEFAULT_OPERATORS[::-1],
        ranges=dict.fromkeys(LEARNED[6:10], 0.1),
        num_ops=5,
        init=dict(magnitude=0.9),
    ).items():
        assert not torch.equal(images(**{key: value}), plain), key


@pytest.fixture
def mix_channels():
    """A user's own operator, registered for one test."""

    @OPERATORS.register_module()
    class MixChannels(ColorOperator):
        """Blend each channel with the next one."""

        limit = 0.8
        unit = 'of the next channel'

        def apply(self, images, level, info):
            next_channel = torch.eye(3).roll(-1, dims=1) @ images.flatten(2)
            return torch.lerp(images, next_channel.view_as(images), level * self.limit)

    yield MixChannels
    OPERATORS.module_dict.pop('MixChannels')


def test_a_users_operator_works_through_the_config(mix_channels):
    config = dict(type='tst_mm.LearnedAugmenter', operators=['MixChannels', 'Rotate'], num_ops=1)
    augmenter = MODELS.build(config | {'ranges': {'MixChannels': 0.5}})
    assert augmenter.policy.summary()['MixChannels']['physical'] == 0.25
    images = to_unit(photo()) * 255
    draw = draw_of(augmenter, [(96, 128)], {'MixChannels': 1}, {'MixChannels': 0.6})
    expected = 0.7 * images + 0.3 * images.roll(1, dims=1)
    with torch.autocast('cpu', dtype=torch.bfloat16):  # which rounds matrix products elsewhere
        result = augmenter.transform(images, draw)
    torch.testing.assert_close(result, expected, atol=1e-3, rtol=0)
    assert draw.describe(0) == 'MixChannels 0.3 of the next channel'


@pytest.mark.parametrize(
    ('kwargs', 'error', 'words'),
    [
        (dict(operators=['Rotat']), KeyError, ["'Rotat'", "did you mean 'Rotate'", 'Cutout']),
        (dict(operators=[{}]), KeyError, ['unknown operator None', 'allowed: ']),
        (dict(operators=['Invert', 'Invert']), ValueError, ["['Invert'] twice"]),
        (
            dict(operators=[dict(type='Rotate', limt=3)]),
            KeyError,
            ['operator Rotate', "'limt'", "did you mean 'limit'"],
        ),
        (dict(ranges=dict(rotate=20)), KeyError, ["'rotate'", "did you mean 'Rotate'"]),
        (dict(ranges=dict(Rotate=200)), ValueError, ['Rotate is 200', '0 to 180 degrees']),
        (dict(ranges=dict(Rotate='45')), ValueError, ["Rotate is '45'", '0 to 180 degrees']),
        (dict(ranges=dict(ShearX=float('nan'))), ValueError, ['ShearX is nan', '0 to 1 tan']),
        (dict(ranges=dict(Invert=0.5)), ValueError, ['Invert is 0.5']),
        (dict(num_ops=15), ValueError, ['num_ops is 15', '1 to 14']),
        (dict(num_ops=0), ValueError, ['num_ops is 0', '1 to 14']),
        (dict(num_ops=2.0), ValueError, ['num_ops is 2.0', '1 to 14']),
        (dict(num_ops=True), ValueError, ['num_ops is True', '1 to 14']),
        (dict(operators='wid'), ValueError, ["operators is 'wid'", "did you mean 'wide'"]),
        (dict(operators=3), TypeError, ['operators is 3', 'a list']),
        (dict(num_op=3), KeyError, ["'num_op'", "did you mean 'num_ops'"]),
        (dict(ranges=dict(Cutout=dict(limit=0.5, pixels=3))), ValueError, ['limit and pixels']),
        (
            dict(ranges=dict(Cutout=dict(pixels=0))),
            ValueError,
            ['Cutout is 0', '1 to 10000'],
        ),
        (
            dict(sign='positive', clamp=False),
            KeyError,
            ['published form', "dict(type='tst_mm.PaperAugmenter', preset='recommended', sign="],
        ),
        (dict(init=dict(rates=0.3)), KeyError, ["'rates'", "did you mean 'rate'"]),
    ],
)
def test_wrong_arguments(kwargs, error, words):
    with pytest.raises(error) as caught:
        LearnedAugmenter(**kwargs)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_draw_for_another_batch_is_refused():
    augmenter = imagenet_augmenter()
    with pytest.raises(ValueError, match='the draw is for 2 images, the batch has 3'):
        augmenter.transform(batch(3), augmenter.draw([(24, 32)] * 2))
