"""The page on the paper's pairs says what the configs say."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config
from test_configs.test_classification import PAIRS
from test_models.test_backbones.test_literature import LITERATURE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'reproduce.md').read_text(encoding='utf-8')
CIFAR = '1xb128-240e_cifar100'
ROWS = [
    [cell.strip() for cell in line.strip('|').split('|')]
    for line in PAGE.splitlines()
    if line.startswith('|')
]


def test_every_cifar_pair_has_a_row_with_its_schedule():
    rows = {}
    for cells in ROWS:
        names = [re.fullmatch(r'`([\w-]+)`', cell) for cell in cells[:2]]
        if all(names):
            rows[f'{names[0][1]}_{names[1][1]}_{CIFAR}'] = cells[2:]
    assert set(rows) == {pair for pair in PAIRS if pair.endswith('cifar100')}
    for pair, (rate, stages, cost, *rest) in rows.items():
        lr, begins, length = PAIRS[pair]
        shown = f'{begins[0]}, {begins[1]}' + (f', …, {begins[-1]}' if begins[2:] else '')
        assert (float(rate), stages) == (lr, f'{shown} x {length}')
        assert rest[-1] == 'not measured yet'
        t, s = (LITERATURE[name][1] for name in pair.split('_')[:2])
        augmenter = len(begins) * length / 240 * (2 * s + 2 * t) / (3 * s + t)
        assert float(cost) == pytest.approx(2 + augmenter, abs=0.005)


def test_every_command_names_a_config():
    for name in re.findall(r'configs/(\w+/[\w-]+\.py)', PAGE):
        assert (ROOT / 'configs' / name).exists(), name
    for name in re.findall(r'^\| `((?:tst|kd)-[\w-]+)`', PAGE, re.MULTILINE):
        path = ROOT / f'configs/classification/{name}_resnet32x4_resnet8x4_{CIFAR}.py'
        assert path.exists(), name


@pytest.mark.parametrize('name', re.findall(r'^\| `(\w\S+_(?:coco|city)\S*)`', PAGE, re.MULTILINE))
def test_dense_pairs_have_their_configs_and_rates(name):
    folder = 'segmentation' if 'cityscapes' in name else 'detection'
    (row,) = (cells for cells in ROWS if cells[0] == f'`{name}`')
    for method in ('kd', 'tst', 'tst-paper'):
        path = ROOT / f'configs/{folder}/{method}_{name}.py'
        assert float(row[1]) == Config.fromfile(path).optim_wrapper.optimizer.lr


def test_networks_have_the_counts_that_are_tested():
    shown = {}
    for cells in ROWS:
        for _, parameters, macs in (cells[:3], cells[3:]) if len(cells) == 6 else ():
            if re.fullmatch(r'[\d,]+', parameters):
                shown[int(parameters.replace(',', ''))] = macs
    expected = {counts[0]: f'{counts[1] / 1e6:,.1f} M' for counts in LITERATURE.values()}
    assert shown == expected
