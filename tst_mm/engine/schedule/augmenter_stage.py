"""One augmenter stage in progress: its position and its means."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from tst_mm.search import Search
from tst_mm.utils.running_mean import RunningMean


class AugmenterStage:
    """Lets a search learn for one stage; knows nothing of loaders, logs and files.

    Args:
        search: The search that learns.
        model: The distiller, unwrapped.
        length: The number of steps of the stage.
        epoch_length: The number of steps in an augmenter epoch.
        precision: The arguments of mixed precision, see :class:`tst_mm.search.Search`. Defaults to
            None, full precision.
    """

    def __init__(
        self,
        search: Search,
        model: Any,
        length: int,
        epoch_length: int,
        precision: Mapping[str, Any] | None = None,
    ) -> None:
        self.search = search
        self.length = length
        self.step = 0
        #: The means since the last log line.
        self.window = RunningMean()
        search.begin(model, length, epoch_length, precision)

    @property
    def optim_wrapper(self) -> Any:
        """The optimiser wrapper of a search that has one, else None."""
        return getattr(self.search, 'optim_wrapper', None)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.length

    def train_step(self, data: Any) -> dict[str, Tensor]:
        """Do one step on a batch from the loader, and return what the search logs."""
        outputs = self.search.step(data)
        self.window.add(outputs)
        self.step += 1
        return outputs

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs beside the state of the search, in plain types and tensors."""
        return {'step': self.step, 'window': self.window.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`.

        Raises:
            ValueError: The state is of another stage, or broken.
        """
        self.step = range(self.length + 1).index(state['step'])
        self.window.load_state_dict(state['window'])
