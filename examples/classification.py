"""Distil a classifier with TST in one call; the teacher is that of ``make demo``.

python examples/classification.py work_dirs/demo/classification/teacher/epoch_14.pth
"""

import sys
from typing import Any

from tst_mm.apis import Distilled, distill


def main(checkpoint: str, **arguments: Any) -> Distilled:
    """Distil.

    Args:
        checkpoint: Of the teacher.
        **arguments: Further ones of :func:`tst_mm.apis.distill`.
    """
    result = distill(
        'tst_mm::demo/classification_plain.py',
        teacher=dict(cfg_path='tst_mm::demo/classification_teacher.py', checkpoint=checkpoint),
        **arguments,
    )
    print(f'policy: {result.policy}\nreport: {result.report}')
    return result


if __name__ == '__main__':
    main(*sys.argv[1:])
