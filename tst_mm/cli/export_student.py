"""Take the student out of a checkpoint, as a file for plain mmpretrain, mmdet or mmsegmentation.

Training writes such files by itself; this is for other checkpoints, those of MMRazor too.

Examples:
  tst export student work_dirs/tst/iter_1500.pth
  tst export student epoch_12.pth --config work_dirs/tst/my_tst.py --out student.pth
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('checkpoint', help='checkpoint of TST, distillation or MMRazor')
    parser.add_argument('--out', help='default: student_<name> beside the checkpoint')
    parser.add_argument('--config', help="config of the run: keeps the student's in the file")


def run(args: Namespace) -> None:
    """Write the student."""
    from mmengine.config import Config

    from tst_mm.engine.safety.student_weights import student_checkpoint, student_config
    from tst_mm.utils.checkpoints import read_checkpoint, write_checkpoint

    path = Path(args.checkpoint)
    out = Path(args.out) if args.out else path.with_name(f'student_{path.name}')
    config = student_config(Config.fromfile(args.config)) if args.config else None
    student = student_checkpoint(read_checkpoint(path), config)
    size = write_checkpoint(out, student)
    print(f'{out}: {len(student["state_dict"])} tensors, {size / 2**20:.1f} MB')
