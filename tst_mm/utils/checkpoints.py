"""Reading checkpoints without executing what is inside."""

from contextlib import nullcontext
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from mmengine.runner import checkpoint as mmengine_checkpoint


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint to the CPU; nothing in it is executed.

    Beside tensors and plain types only what MMEngine writes is accepted.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is broken, or holds objects that loading would have to execute.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no checkpoint {str(path)!r} (from {Path.cwd()})')
    # The fork lists what it writes; for the original family tst_mm.compat has declared it.
    known = getattr(mmengine_checkpoint, 'get_torch_safe_globals', None)
    declared = torch.serialization.safe_globals(known()) if known else nullcontext()
    try:
        with declared:
            return torch.load(path, map_location='cpu', weights_only=True)
    except UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f'{path} holds more than weights and is not loaded: {reason}') from error
    except (RuntimeError, EOFError) as error:
        raise ValueError(f'{path} is no checkpoint, or cut short: {error}') from error
