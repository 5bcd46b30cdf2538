"""tools/report.py as a user runs it."""

import json

import pytest

from tst_mm.augment import LearnedAugmenter


@pytest.fixture
def runs(tmp_path):
    """Two work folders of runs without augmenter stages."""
    for i in range(2):
        folder = tmp_path / f'tst_seed{i}'
        folder.mkdir()
        policy = LearnedAugmenter(init={'rate': 0.3 + 0.2 * i}).policy.to_dict()
        content = {**policy, 'provenance': {'seed': i}, 'history': []}
        (folder / 'policy.json').write_text(json.dumps(content))
    return tmp_path


def test_the_report_of_a_run_goes_into_its_folder(tool, runs):
    code, out, err = tool('report.py', runs / 'tst_seed0')
    assert code == 0, err
    page = runs / 'tst_seed0' / 'report.html'
    assert out.splitlines()[-1] == f'report: {page}'
    assert '30.0%' in page.read_text()
    assert f'figure: {runs}/tst_seed0/report/final_policy.png' in out


def test_several_runs_are_compared_where_it_says(tool, runs):
    code, out, err = tool(
        'report.py', runs / 'tst_seed0', runs / 'tst_seed1', '--out', runs / 'seeds.html'
    )
    assert code == 0, err
    text = (runs / 'seeds.html').read_text()
    assert 'tst_seed0: rate' in text and 'tst_seed1: rate' in text
    files = {path.name for path in (runs / 'seeds').iterdir()}
    assert files == {'final_policy.png', 'agreement.png'}


@pytest.mark.faults
def test_mistakes_are_one_line(tool, runs):
    (runs / 'empty').mkdir()
    for arguments, message in (
        ([runs / 'empty'], 'has no policy.json'),
        ([runs / 'nowhere'], 'has no policy.json'),
        ([runs / 'tst_seed0', '--out', 'page.pdf'], "--out is 'page.pdf'; allowed: a name that"),
    ):
        code, _, err = tool('report.py', *arguments)
        last = err.splitlines()[-1]
        assert code == 1 and last.startswith('error: ') and message in last
