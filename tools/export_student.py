"""Take the student out of a checkpoint, as a file for plain mmpretrain, mmdet or mmsegmentation.

Training writes such files by itself; this is for other checkpoints, those of MMRazor too.
Example: ``python tools/export_student.py work_dirs/tst/iter_1500.pth``
"""

import argparse
from pathlib import Path

from mmengine.config import Config

import tst_mm  # noqa: F401  (its mends come before any other library)
from tst_mm.engine.safety.student_weights import student_checkpoint, student_config
from tst_mm.utils.checkpoints import read_checkpoint, write_checkpoint
from tst_mm.utils.cli import one_line_errors


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Take the student out of a checkpoint.')
    parser.add_argument('checkpoint', help='checkpoint of TST, distillation or MMRazor')
    parser.add_argument('--out', help='default: student_<name> beside the checkpoint')
    parser.add_argument('--config', help="config of the run: keeps the student's in the file")
    return parser.parse_args()


def export(args: argparse.Namespace) -> None:
    """Write the student."""
    path = Path(args.checkpoint)
    out = Path(args.out) if args.out else path.with_name(f'student_{path.name}')
    config = student_config(Config.fromfile(args.config)) if args.config else None
    student = student_checkpoint(read_checkpoint(path), config)
    size = write_checkpoint(out, student)
    print(f'{out}: {len(student["state_dict"])} tensors, {size / 2**20:.1f} MB')


if __name__ == '__main__':
    arguments = parse_args()
    with one_line_errors():
        export(arguments)
