"""Check a config without training: build all it says, load the teacher, look at the first batch.

Two steps of each kind are done, on the first images; nothing is left on disk. It says how long a
training would take.

Examples:
  tst check config my_tst.py
  tst check config my_tst.py --cfg-options train_dataloader.batch_size=8
"""

from argparse import ArgumentParser, Namespace

from tst_mm.engine.launch import add_arguments as add_launch_arguments


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('config', help='config file')
    add_launch_arguments(parser)


def run(args: Namespace) -> None:
    """Do a dry run."""
    from tst_mm.engine.dry_run import dry_run
    from tst_mm.engine.launch import load_config

    print(f'{args.config}: all built, two steps done.\n{dry_run(load_config(args))}')
