"""Mends for other packages, one file a mend, each saying what it mends and when it can go.

Nothing on disk is touched. A mend waits for the import of the package it is for, so that importing
``tst_mm`` stays light, and does nothing where it is not needed.
"""

from tst_mm.compat import (
    config_address,
    gloo,
    layer_decay,
    mmengine,
    mmrazor,
    mmsegmentation,
    torchvision,
)
from tst_mm.compat.mmrazor import load_mmrazor
from tst_mm.compat.on_import import mend_on_import
from tst_mm.compat.versions import check_versions

__all__ = ['check_versions', 'install_mends', 'load_mmrazor']


def install_mends() -> None:
    """Install every mend; a second call changes nothing."""
    mend_on_import('mmengine.config.utils', config_address.known_addresses)
    mend_on_import('mmengine.config.config', config_address.no_scope_of_our_own)
    mend_on_import('mmengine.hub.hub', config_address.own_folder)
    mend_on_import('mmengine.runner.checkpoint', mmengine.loading_of_own_checkpoints)
    mend_on_import('mmengine.dist.utils', gloo.process_group_on_cpu)
    mend_on_import('mmengine.model.wrappers.distributed', gloo.wrapper_on_cpu)
    mend_on_import(
        'mmseg.models.losses.cross_entropy_loss', mmsegmentation.class_weights_of_known_pixels
    )
    for constructors in (
        'mmdet.engine.optimizers.layer_decay_optimizer_constructor',
        'mmseg.engine.optimizers.layer_decay_optimizer_constructor',
        'mmpretrain.engine.optimizers.layer_decay_optim_wrapper_constructor',
    ):
        mend_on_import(constructors, layer_decay.rates_of_the_student)
    mend_on_import('torchvision', torchvision.declared_operators)
    mend_on_import('mmrazor', mmrazor.accepted_versions)
