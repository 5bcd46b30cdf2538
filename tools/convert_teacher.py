"""Give a teacher trained elsewhere the names of a config's model, as a checkpoint for its students.

It knows checkpoints of RepDistiller and mdistiller (CIFAR) and of torchvision (ResNet,
MobileNetV2). Every weight must fit the model of the config; nothing in the file is executed.

python tools/convert_teacher.py resnet32x4_vanilla/ckpt_epoch_240.pth \
    configs/classification/plain_resnet32x4_1xb128-240e_cifar100.py --out teacher.pth
"""

import argparse
from pathlib import Path

import tst_mm  # noqa: F401  (its mends come before any other library)
from tst_mm.models.build import build_model
from tst_mm.utils.checkpoints import read_checkpoint, write_checkpoint
from tst_mm.utils.cli import one_line_errors


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Rename the weights of a teacher.')
    parser.add_argument('checkpoint', help='checkpoint of RepDistiller, mdistiller or torchvision')
    parser.add_argument('config', help="the teacher's config: a file, or mmpretrain::...")
    parser.add_argument('--out', help='default: converted_<name> beside the checkpoint')
    return parser.parse_args()


def convert(args: argparse.Namespace) -> None:
    """Write the weights under their new names."""
    from tst_mm.models.backbones.key_maps import convert_weights  # needs mmpretrain

    path = Path(args.checkpoint)
    out = Path(args.out) if args.out else path.with_name(f'converted_{path.name}')
    checkpoint = read_checkpoint(path)
    model = build_model('teacher', {'cfg_path': args.config})
    weights = convert_weights(checkpoint, model)
    size = write_checkpoint(out, {'state_dict': weights, 'meta': {'source': path.name}})
    print(f'{out}: {len(weights)} tensors, {size / 2**20:.1f} MB')


if __name__ == '__main__':
    arguments = parse_args()
    with one_line_errors():
        convert(arguments)
