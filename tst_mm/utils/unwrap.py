"""The model behind its wrappers."""

from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner


def unwrap_model(runner: Runner) -> Any:
    """The model of a runner itself, without DDP around it."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
