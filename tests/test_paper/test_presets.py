"""Presets of the augmenter: they only set arguments, and one that is given wins."""

import pytest
import torch
from test_augment.helpers import LEARNED, batch

from tst_mm.augment.operators import DEFAULT_OPERATORS
from tst_mm.paper import PaperAugmenter
from tst_mm.paper.composition import PaperSetting, residual
from tst_mm.paper.presets import PRESETS

from .helpers import draw_from, imagenet_augmenter, recommended


def test_the_paper_is_the_default():
    augmenter = PaperAugmenter()
    found = {**vars(augmenter), 'squashing': augmenter.policy.squashing}
    assert {key: found[key] for key in PRESETS['paper'] if key != 'operators'} == {
        key: value for key, value in PRESETS['paper'].items() if key != 'operators'
    }
    assert type(augmenter.operators[0]).__name__ == 'FittedColor'


@pytest.mark.parametrize('preset', ['paper', 'paper_dense'])
def test_a_preset_only_sets_arguments(preset):
    explicit = {
        **PRESETS[preset],
        'ranges': {'Cutout': 1.0 if preset == 'paper' else {'pixels': 128}},
    }
    inputs, images = batch(3), []
    for kwargs in ({'preset': preset}, explicit):
        augmenter = imagenet_augmenter(**kwargs)
        augmenter.reseed(3)
        images.append(augmenter(inputs, relaxed=True)[0])
    assert torch.equal(*images)


@pytest.mark.parametrize('key', [key for key in PRESETS['paper'] if key != 'operators'])
def test_an_explicit_argument_wins(key):
    ours = PRESETS['recommended'][key]
    augmenter = PaperAugmenter(preset='paper', **{key: ours})
    found = {**vars(augmenter), 'squashing': augmenter.policy.squashing}
    for other, of_paper in PRESETS['paper'].items():
        if other != 'operators':
            assert found[other] == (ours if other == key else of_paper), other


def test_explicit_operators_and_ranges_win():
    closed = PaperAugmenter(preset='paper', operators='closed_form', ranges={'Cutout': 0.25})
    assert type(closed.operators[0]).__name__ == 'Brightness'
    assert closed.operators[-1].limit == 0.25
    own = PaperAugmenter(preset='paper', operators=['Invert', 'Rotate'], num_ops=1)
    assert own.policy.names == ('Invert', 'Rotate')
    side = PaperAugmenter(preset='paper', operators=[{'type': 'Cutout', 'limit': 0.1}], num_ops=1)
    assert side.operators[0].limit == 0.1


def test_the_whole_paper_preset():
    augmenter, inputs = imagenet_augmenter(preset='paper'), batch(4)
    augmenter.reseed(5)
    outputs, draw = augmenter(inputs)
    assert augmenter.policy.names == DEFAULT_OPERATORS
    assert sum(parameter.numel() for parameter in augmenter.parameters()) == 25
    torch.testing.assert_close(
        augmenter.policy.rates(), torch.full((14,), 0.62246), atol=5e-6, rtol=0
    )
    assert torch.equal(draw.gates, draw.gates[:1].expand(4, -1)) and (draw.gates > 0).sum() <= 16
    assert (draw.levels > 0).all()
    expected = inputs.clone()
    for i, op in enumerate(draw.operators):
        if draw.gates[0, i]:
            one = draw_from(
                augmenter, [(24, 32)] * 4, torch.ones(4, 14), draw.levels, draw.positions, [op.name]
            )
            setting = PaperSetting(augmenter.normalization, None, False, 'normalised')
            expected += draw.gates[0, i] * (residual(inputs, one, setting) - inputs)
    torch.testing.assert_close(outputs, expected, atol=1e-4, rtol=0)
    assert torch.equal(augmenter.transform(inputs, draw), outputs)


@pytest.mark.parametrize(
    ('key', 'value'),
    dict(
        operators='fitted',
        ranges=dict.fromkeys(LEARNED[6:10], 0.1),
        num_ops=5,
        temperature=1.0,
        sharing='batch',
        sign='positive',
        squashing='double',
        composition='residual',
        coordinates='normalised',
        clamp=False,
        init=dict(magnitude=0.9),
        preset='paper_dense',
    ).items(),
)
def test_every_key_has_an_effect(key, value):
    """Each argument changes what comes out of the same seed."""
    images = []
    for kwargs in ({}, {key: value}):
        augmenter = imagenet_augmenter(**kwargs)
        augmenter.reseed(2)
        images.append(augmenter(batch(4), relaxed=True)[0])
    assert not torch.equal(*images)


@pytest.mark.parametrize('preset', ['paper', 'paper_dense'])
def test_all_scalars_of_a_preset_learn(preset):
    augmenter = imagenet_augmenter(preset=preset, num_ops=14, temperature=1.0)
    (augmenter(batch(2), relaxed=True)[0] ** 2).sum().backward()
    assert augmenter.policy.probability_logits.grad.abs().min() > 0
    assert augmenter.policy.magnitude_logits.grad.abs().min() > 0
    assert augmenter.policy.magnitude_logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ('kwargs', 'words'),
    [
        (dict(preset='papper'), ["preset of PaperAugmenter is 'papper'", "did you mean 'paper'"]),
        (dict(operators='fited'), ["operators is 'fited'", "did you mean 'fitted'"]),
        (dict(gate='soft'), ["gate is 'soft'", 'hard, relaxed']),
        (dict(squashing='twice'), ["squashing is 'twice'", 'single, double']),
        (dict(composition='sum'), ["composition is 'sum'", "did you mean 'summed'"]),
        (dict(coordinates='pixels'), ["coordinates is 'pixels'", "did you mean 'pixel'"]),
        (dict(clamp=1), ['clamp is 1', 'True, False']),
        (dict(operators='fitted', ranges=dict(Rotate=45)), ["'Rotate'", 'no other range than 30']),
        (dict(temperature=0), ['temperature is 0', 'above 0']),
        (dict(temperature='0.1'), ["temperature is '0.1'", 'above 0']),
        (dict(sharing='samples'), ["sharing is 'samples'", "did you mean 'sample'"]),
        (dict(sign='both'), ["sign is 'both'", 'random, positive']),
    ],
)
def test_wrong_arguments(kwargs, words):
    with pytest.raises(ValueError) as caught:
        recommended(**kwargs)
    assert all(word in str(caught.value) for word in words), str(caught.value)
