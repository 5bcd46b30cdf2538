"""Layer-wise learning rates are those of the student without distillation."""

import copy

import pytest
from mmengine.optim import build_optim_wrapper
from test_models.dense import detector
from test_models.dense import distiller as dense_distiller
from test_models.helpers import distiller, vision_transformer

OPTIMIZER = dict(type='AdamW', lr=1e-3, weight_decay=0.05)


def convnext():
    config = detector('retinanet')
    config.backbone = dict(
        type='mmpretrain.ConvNeXt',
        arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 32, 64]),
        out_indices=[0, 1, 2, 3],
        gap_before_final_norm=False,
    )
    config.neck.in_channels = [8, 16, 32, 64]
    return dense_distiller('DetectionDistiller', config, config)


def transformer():
    return distiller(vision_transformer(), {'model': vision_transformer(), 'checkpoint': 'random'})


def rates(model, config):
    """Learning rate of each parameter, by identity."""
    groups = build_optim_wrapper(model, copy.deepcopy(config)).optimizer.param_groups
    return {id(p): group['lr'] for group in groups for p in group['params']}


@pytest.mark.parametrize(
    ('make', 'constructor', 'options'),
    [
        (
            transformer,
            'mmpretrain.LearningRateDecayOptimWrapperConstructor',
            dict(layer_decay_rate=0.5),
        ),
        (
            convnext,
            'mmdet.LearningRateDecayOptimizerConstructor',
            dict(decay_rate=0.5, decay_type='layer_wise', num_layers=6),
        ),
    ],
)
def test_rates_are_those_of_the_student_alone(make, constructor, options):
    import mmpretrain.engine  # noqa: F401

    model = make()
    config = dict(optimizer=OPTIMIZER, constructor=constructor, paramwise_cfg=options)
    alone = rates(model.student, config)
    assert len(set(alone.values())) > 2
    distilled = rates(model, config)
    assert {key: distilled[key] for key in alone} == alone
    beside = model.parameters_beside_student().values()
    assert all(distilled[id(p)] == 1e-3 for p in beside)
    assert len(distilled) == len(alone) + len(beside)


def test_only_named_parts_of_the_student_are_shown():
    model = transformer()
    assert model.head is model.student.head
    for name in ('bbox_head', 'set_epoch', 'get_layer_depth', 'backbone'):
        assert not hasattr(model, name)
