"""What tiny runs would spend most of their time on, and what no result depends on."""

import mmengine.config.config
import torch.utils.data._utils
import yapf.yapflib.yapf_api


def be_quick() -> None:
    """Leave the text of configs unformatted, and end idle workers of loaders sooner.

    MMEngine lays a config out anew for every log and every checkpoint. A loader with workers that
    is left to the garbage collection has lost its queues first, so that no word to end reaches
    them; torch waits five seconds before it ends them itself.
    """
    # Imported where it is used, or (the original MMEngine) at the top of the module.
    for module in (yapf.yapflib.yapf_api, mmengine.config.config):
        module.FormatCode = lambda text, **_: (text, True)
    torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL = 0.5
