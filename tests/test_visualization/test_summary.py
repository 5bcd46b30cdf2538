"""One picture of what a run has learned."""

import json

import pytest
from PIL import Image

from tst_mm.visualization import load_runs, save_summary

from .conftest import make_measured, make_policy


def record(folder, policy):
    folder.mkdir()
    (folder / 'policy.json').write_text(json.dumps(policy))
    return load_runs([folder])[0]


def test_effects_and_amount_are_under_each_other(tmp_path):
    sizes = []
    for name, left_out in (('both', ()), ('effects', ('amount',))):
        policy = {key: value for key, value in make_measured().items() if key not in left_out}
        run = record(tmp_path / name, policy)
        path = save_summary(tmp_path / f'{name}.png', run)
        with Image.open(path) as picture:
            sizes.append(picture.size)
            assert picture.getcolors(maxcolors=1 << 24)[0][0] < picture.width * picture.height
    assert sizes[0][0] == sizes[1][0] and sizes[0][1] > sizes[1][1] > 300


@pytest.mark.faults
def test_a_run_that_learned_nothing_has_no_picture(tmp_path):
    with pytest.raises(ValueError, match='nothing has learned neither a policy nor an amount'):
        save_summary(tmp_path / 'x.png', record(tmp_path / 'nothing', make_policy()))
    assert not (tmp_path / 'x.png').exists()
