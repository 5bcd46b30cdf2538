"""Means of named tensors, gathered on the device and read rarely."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class RunningMean:
    """The mean of named 0-dim tensors over steps; only :meth:`read` waits for the device."""

    def __init__(self) -> None:
        self.count = 0
        self.totals: dict[str, Tensor] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add the values of one step."""
        for name, value in values.items():
            value = value.detach().float()
            self.totals[name] = self.totals[name] + value if name in self.totals else value
        self.count += 1

    def read(self) -> dict[str, float]:
        """Return the means so far, in one transfer from the device, and start anew."""
        if not self.count:
            return {}
        means = torch.stack(list(self.totals.values())) / self.count
        result = dict(zip(self.totals, means.tolist(), strict=True))
        self.count, self.totals = 0, {}
        return result

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed run continues from."""
        return {'count': self.count, 'totals': {k: v.cpu() for k, v in self.totals.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self.count = int(state['count'])
        self.totals = {str(name): torch.as_tensor(total) for name, total in state['totals'].items()}
