"""tools/fit_operators.py as a user runs it."""

import json

import numpy as np
import pytest
from PIL import Image

FEW = ['--steps', '30', '--count', '40', '--size', '16', '--batch-size', '16']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Forty coloured pictures."""
    path = tmp_path_factory.mktemp('pictures')
    random = np.random.default_rng(0)
    for i in range(40):
        coarse = Image.fromarray(random.integers(0, 256, (4, 5, 3), np.uint8))
        (path / str(i % 2)).mkdir(exist_ok=True)
        coarse.resize((50, 40), Image.Resampling.BICUBIC).save(path / str(i % 2) / f'{i}.png')
    return path


def test_fit_report_resume_and_refuse(tool, folder, tmp_path):
    """One story, since each call costs seconds of imports."""
    common = [*FEW, '--images', folder, '--work-dir', tmp_path]
    code, out, err = tool('fit_operators.py', *common, '--operators', 'Brightness')
    assert code == 0, err
    assert 'Brightness: ' in out and 's left' in out
    before = json.loads((tmp_path / 'fitted.json').read_text())
    assert list(before['encoders']) == ['Brightness'] and before['settings']['seed'] == 0

    names = ('Brightness', 'TranslateX')
    _, out, _ = tool('fit_operators.py', *common, '--operators', *names)
    assert 'TranslateX: ' in out and 'Brightness: ' not in out
    after = json.loads((tmp_path / 'fitted.json').read_text())
    assert after['encoders']['Brightness'] == before['encoders']['Brightness']

    report = json.loads((tmp_path / 'fidelity.json').read_text())
    for name, entry in report['operators'].items():
        mean = entry['mean']
        assert mean['closed_form'] < 1.5, name
        assert mean['fitted'] < mean['identity'], name
        assert len(entry['levels']) == len(entry['fitted']) == 21
    assert '| TranslateX |' in (tmp_path / 'fidelity.md').read_text()
    assert '| TranslateX |' in out
    assert Image.open(tmp_path / 'fidelity.png').size[0] > 1000

    code, _, err = tool('fit_operators.py', *common, '--seed', '1')
    assert code == 1 and 'fitted with seed 0, this run has 1' in err


def test_wrong_arguments(tool, tmp_path):
    out = tmp_path / 'out'
    code, _, err = tool('fit_operators.py', '--images', tmp_path, '--work-dir', out)
    assert code == 1 and 'has 0 readable images' in err
    code, _, err = tool('fit_operators.py', '--batch-size', '12')
    assert code == 2 and '--batch-size is 12; allowed: a multiple of 8' in err
