"""tools/compare_policies.py as a user runs it."""

import json

from PIL import Image

from tst_mm.augment import LearnedAugmenter


def write(path, **kwargs):
    path.write_text(json.dumps(LearnedAugmenter(**kwargs).policy.to_dict()))
    return path


def test_table_and_figure(tool, tmp_path):
    files = [
        f'ours={write(tmp_path / "a.json", init=dict(rate=0.2))}',
        f'ours={write(tmp_path / "b.json", init=dict(rate=0.4, magnitude=0.9))}',
        f'theirs={write(tmp_path / "c.json", squashing="double")}',
    ]
    code, out, err = tool('compare_policies.py', *files, '--out', tmp_path / 'policies.png')
    assert code == 0, err
    assert '| Rotate | 0.30 | 0.70 | 0.62 | 0.50 |' in out
    assert '| Cutout | 0.30 |  | 0.62 |  |' in out
    assert Image.open(tmp_path / 'policies.png').size[0] > 1000


def test_wrong_input(tool, tmp_path):
    code, _, err = tool('compare_policies.py', 'policy.json')
    assert code == 1 and "'policy.json' is no policy; allowed: NAME=FILE" in err
    broken = tmp_path / 'broken.json'
    broken.write_text('{"operators": 3}')
    code, _, err = tool('compare_policies.py', f'a={broken}')
    assert code == 1 and 'broken.json is no policy file' in err
