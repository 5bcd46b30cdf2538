"""Check a data set: what is there, what is missing or wrong, and a picture of some samples.

Known layouts:
  images by class           train/<class>/* and val/<class>/*, or <class>/*
  COCO                      annotations/instances_{train,val}*.json and train*/, val*/
  Pascal VOC                JPEGImages/ with Annotations/ or SegmentationClass/, and ImageSets/
  Cityscapes                leftImg8bit/{train,val}/<city>/ and gtFine/{train,val}/<city>/
  images and label maps     img_dir/{train,val}/ and ann_dir/{train,val}/
The classes of label maps are named in classes.txt, a line each; without it they are those of
Cityscapes or Pascal VOC.

Examples:
  tst check data ~/pictures
  tst check data data/VOC2012 --library mmseg --picture samples.png
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from tst_mm.datasets.layouts import Layout, find_layout

_SAMPLES = 10


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('root', help='folder of the data set, or a JSON file of COCO')
    parser.add_argument(
        '--library',
        choices=['mmpretrain', 'mmdet', 'mmseg'],
        help='that is to read it, where a folder serves two',
    )
    parser.add_argument(
        '--picture', help='PNG file (default: data_check.png in the current folder)'
    )
    parser.add_argument('--no-picture', action='store_true', help='draw none')


def run(args: Namespace) -> int:
    """Check, draw, and say what was found.

    Returns:
        0, or 1 where something is missing or wrong.
    """
    layout = find_layout(args.root, args.library)
    print(f'{layout.root}: {layout.kind}, for {layout.library}')
    findings = layout.check()
    print(findings)
    if not args.no_picture:
        _draw(layout, Path(args.picture or 'data_check.png'))
    print('complete' if not findings.faults else 'not complete')
    return 1 if findings.faults else 0


def _draw(layout: Layout, path: Path) -> None:
    """Draw some samples; where the data are too broken for it, say so."""
    from tst_mm.visualization.figure import save_figure
    from tst_mm.visualization.samples import plot_samples

    try:
        figure = plot_samples(layout.images(_SAMPLES), layout.classes)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        print(f'no picture: {" ".join(str(error).split())}')
        return
    print(f'picture: {save_figure(figure, path)}')
