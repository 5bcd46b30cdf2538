"""ChannelsLastHook: convolutions on a processor whose operands lie as they are computed."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tst_mm.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keep the weights of convolutions, and with them their outputs, with the channels last.

    Only the order in memory changes, and with it the last bits of a sum. Narrow networks, such as
    the teacher of the classification demo, may train faster so on a processor.
    """

    def before_train(self, runner: Runner) -> None:
        """Reorder the weights where they are, which the optimizer does not notice."""
        runner.model.to(memory_format=torch.channels_last)
