"""Evaluate a checkpoint: of TST or distillation, a student file, or a plain OpenMMLab one.

Examples:
  tst test configs/demo/classification_plain.py work_dirs/tst/student_iter_1500.pth
"""

from argparse import ArgumentParser, Namespace

from mmengine.hooks import Hook
from mmengine.runner import Runner

from tst_mm.engine.launch import add_arguments as add_launch_arguments
from tst_mm.engine.launch import build_runner, check_file, load_config
from tst_mm.utils.unwrap import unwrap_model


class WholeWeightsHook(Hook):
    """Refuses a checkpoint that leaves parameters of the model at random values."""

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare names and shapes before MMEngine loads what fits and keeps quiet."""
        weights = checkpoint.get('state_dict', checkpoint)
        shapes = {key.removeprefix('module.'): value.shape for key, value in weights.items()}
        model = unwrap_model(runner)
        parameters = dict(model.named_parameters())
        missing = [name for name, value in parameters.items() if shapes.get(name) != value.shape]
        if missing:
            raise ValueError(
                f'{len(missing)} of {len(parameters)} parameters of {type(model).__name__} '
                f'({", ".join(missing[:3])}, ...) are not in the checkpoint, which begins with '
                f'{", ".join(list(shapes)[:3])}; a student file goes with the config of the '
                'student alone, a distillation checkpoint with the config of its run'
            )


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or address')
    add_launch_arguments(parser)


def run(args: Namespace) -> None:
    """Evaluate the checkpoint."""
    cfg = load_config(args)
    cfg.load_from = check_file(args.checkpoint)
    cfg.resume = False
    runner = build_runner(cfg)
    runner.register_hook(WholeWeightsHook())
    runner.test()
