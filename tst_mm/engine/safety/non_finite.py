"""Finding what is no number in a step, and keeping what is needed to see why."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from tst_mm.augment import Draw
from tst_mm.utils.checkpoints import write_checkpoint


def file_names(data_batch: Any) -> list[str]:
    """The image files of a batch of the loader, as far as its data samples tell them."""
    if not isinstance(data_batch, Mapping):
        return []
    samples = data_batch.get('data_samples') or []
    paths = [sample.get('img_path', sample.get('sample_idx')) for sample in samples]
    return [str(path) for path in paths if path is not None]


def save_evidence(path: str, evidence: dict[str, Any], model: nn.Module, draw: Draw | None) -> None:
    """Write what is known of a step, with the weights and what the augmenter drew for it.

    Args:
        path: File to write; complete or absent.
        evidence: Plain types.
        model: That did the step.
        draw: What the augmenter drew for it; None without an augmenter.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    content = {**evidence, 'draw': None if draw is None else _plain(draw)}
    write_checkpoint(path, {**content, 'state_dict': model.state_dict()})


def _plain(draw: Draw) -> dict[str, Any]:
    """A draw as tensors and words; the augmented images come first in a batch."""
    tensors = {name: value.cpu() for name, value in vars(draw).items() if isinstance(value, Tensor)}
    words = [draw.describe(image) for image in range(len(draw))]
    return {'operators': [operator.name for operator in draw.operators], 'images': words, **tensors}
