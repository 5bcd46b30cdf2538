"""Train a model: TST, distillation, or any plain mmpretrain, mmdet or mmseg config.

Examples:
  tst train configs/demo/classification_tst.py --work-dir work_dirs/tst
  tst train my_tst.py --dry-run
  tst train my_tst.py --resume

On several GPUs: tools/dist_train.sh CONFIG GPUS, or torchrun ... tools/train.py CONFIG --launcher
pytorch.
"""

from argparse import ArgumentParser, Namespace

from tst_mm.engine.launch import add_arguments as add_launch_arguments


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='continue from this checkpoint, or without a path from the latest in the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument('--no-validate', action='store_true', help='train without validation')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the batch size, as auto_scale_lr in the config says',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='build all, load the teacher, do two steps of each stage, tell the time it would take',
    )
    add_launch_arguments(parser)


def run(args: Namespace) -> None:
    """Train, or do a dry run.

    Raises:
        KeyError: ``--auto-scale-lr`` is asked for, but the config does not say by what.
    """
    from tst_mm.engine.dry_run import dry_run
    from tst_mm.engine.launch import load_config, train, use_amp

    cfg = load_config(args)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        use_amp(cfg)
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise KeyError('--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...)')
        cfg.auto_scale_lr.enable = True
    if args.dry_run:
        print(f'Dry run of {args.config}: all built, two steps done.\n{dry_run(cfg)}')
    else:
        train(cfg, args.resume)
