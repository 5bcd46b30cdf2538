"""A run goes on with its own model, or not at all."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

#: How many names an error lists.
_LISTED = 3


def check_same_model(model: nn.Module, checkpoint: Mapping[str, Any]) -> None:
    """Refuse to resume a model from weights alone, or from the checkpoint of another one.

    MMEngine loads what fits, and leaves the rest at random values with no more than a line.

    Args:
        model: Of the run, unwrapped.
        checkpoint: As MMEngine wrote it.

    Raises:
        ValueError: Naming tensors that are missing, unknown, or of another shape.
    """
    weights = checkpoint.get('state_dict')
    if not isinstance(weights, Mapping) or 'message_hub' not in checkpoint:
        raise ValueError(
            'cannot resume: the file holds weights only (such as student_*.pth), not the state of '
            'a run. Give a checkpoint of the run (epoch_*.pth, iter_*.pth), or start a new one '
            'from weights: load_from, or init_cfg in the model, and no resume'
        )
    shapes = {key.removeprefix('module.'): _shape(value) for key, value in weights.items()}
    own = {key: _shape(value) for key, value in model.state_dict().items()}
    missing = [f'{key} is missing' for key in own if key not in shapes]
    unknown = [f'{key} is not in the model' for key in shapes if key not in own]
    other = [
        f'{key} is {shapes[key]}, in the model {own[key]}'
        for key in own
        if key in shapes and shapes[key] != own[key]
    ]
    wrong = [*other, *missing, *unknown]
    if wrong:
        more = f', and {len(wrong) - _LISTED} more' if len(wrong) > _LISTED else ''
        raise ValueError(
            f'cannot resume: the checkpoint is of another model ({"; ".join(wrong[:_LISTED])}'
            f'{more}). Give the config of its run, or choose another work folder for a new run'
        )


def _shape(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
