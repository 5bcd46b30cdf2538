"""Registries of tst_mm: children of MMEngine's roots, scope ``tst_mm``.

Any OpenMMLab config reaches a component as ``type='tst_mm.Name'`` once ``tst_mm`` is imported
(``custom_imports = dict(imports=['tst_mm'])``). The modules in ``locations`` are imported on first
use, so a missing task library matters only to those who ask for that task.
"""

from importlib.util import find_spec

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

_MODEL_LOCATIONS = ['tst_mm.augment', 'tst_mm.search', 'tst_mm.models']
if find_spec('mmpretrain'):  # the backbones are made of its parts
    _MODEL_LOCATIONS.append('tst_mm.models.backbones')
if find_spec('tst_mm.paper'):  # the house stands without it
    _MODEL_LOCATIONS.append('tst_mm.paper')
MODELS = Registry('model', parent=MMENGINE_MODELS, scope='tst_mm', locations=_MODEL_LOCATIONS)
HOOKS = Registry(
    'hook',
    parent=MMENGINE_HOOKS,
    scope='tst_mm',
    locations=['tst_mm.engine.hooks', 'tst_mm.visualization'],
)
DATASETS = Registry(
    'dataset', parent=MMENGINE_DATASETS, scope='tst_mm', locations=['tst_mm.datasets']
)
TRANSFORMS = Registry(
    'transform', parent=MMENGINE_TRANSFORMS, scope='tst_mm', locations=['tst_mm.datasets']
)
#: Augmentation operators by name; one's own joins with ``@OPERATORS.register_module()``.
OPERATORS = Registry('operator', scope='tst_mm', locations=['tst_mm.augment.operators'])
