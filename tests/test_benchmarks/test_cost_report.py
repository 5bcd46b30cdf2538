"""What the benchmark of cost writes: valid, judged, in words."""

import json

import jsonschema
import pytest
import torch

from benchmarks.cost.__main__ import SCHEMA, check, main
from benchmarks.cost.environment import describe
from benchmarks.cost.measure import Measurement
from benchmarks.cost.table import VERSION, format_changes, format_report
from benchmarks.cost.targets import judge
from benchmarks.cost.timing import Times, spread


@pytest.fixture
def kept(root) -> dict:
    """The run that the documentation shows."""
    return json.loads((root / 'benchmarks' / 'cost_cpu.json').read_text())


@pytest.fixture
def measured() -> dict:
    """One case of every part, all of it met but two ratios."""
    ratio = {'median': 1.0, 'low': 0.9, 'high': 1.1}
    times = {'median_ms': 1.0, 'low_ms': 1.0, 'high_ms': 1.0}
    steps = ('kd', 'search')
    return {
        'counts': {
            'default augmenter': {'launches': 40.0, 'samplings': 1.0},
            'demo, search step': {'waits': 0.0},
        },
        'host': {
            'demo': {
                'where': 'meta',
                'times': dict.fromkeys(('kd', 'split'), times),
                'split/kd': {**ratio, 'median': 1.04},
                'launches': {'kd': 365, 'split': 400},
            }
        },
        'augmenter': {
            '2x3x8x8': {
                'images': 2,
                'times': {'ours forward': times},
                'speedup_over_kornia': {
                    'forward': {**ratio, 'median': 1.9},
                    'forward+backward': {**ratio, 'median': 2.1},
                },
                'speedup_over_torchvision': ratio,
            }
        },
        'steps': {
            'demo': {
                'about': 'two networks',
                'times': dict.fromkeys(steps, times),
                'ratios': {
                    'split/kd': ratio,
                    'double/kd': ratio,
                    'search/bare': {**ratio, 'median': 1.2},
                },
                'flops': {f'step/{step}': 1.0 for step in steps},
                'flops_over_floor': dict.fromkeys(steps, 1.0),
                'memory': {**dict.fromkeys(steps, 1.0), 'search/kd': 1.0},
            }
        },
        'training': {'stages': 0.019, 'tst/kd': 1.03},
    }


def test_the_schema_is_one_and_the_kept_run_follows_it(kept):
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))
    check(kept)


def test_an_unknown_part_is_refused(kept):
    kept['measured']['colour'] = {}
    with pytest.raises(jsonschema.ValidationError):
        check(kept)


def test_the_table_that_is_shown_is_that_of_the_kept_run(kept, root):
    assert format_report(kept) + '\n' == (root / 'benchmarks' / 'cost_cpu.md').read_text()


def test_a_run_of_an_earlier_form_says_so(kept):
    kept['version'] = 1
    assert f'earlier form of the project, commit `{kept["environment"]["commit"]}`' in (
        format_report(kept)
    )
    kept['version'] = VERSION
    assert 'earlier form' not in format_report(kept)


def test_every_kind_of_goal_is_judged(measured):
    targets = {target.name: target for target in judge(measured)}
    missed = {name for name, target in targets.items() if not target.met}
    assert missed == {
        'demo: search step over its passes bare',
        'augmenter 2x3x8x8, forward: images a second, over kornia',
    }
    measured['counts']['default augmenter']['samplings'] = 2
    measured['host']['demo']['split/kd']['median'] = 1.06
    measured['training']['stages'] = 0.021
    after = {target.name for target in judge(measured) if not target.met}
    assert after - missed == {
        'default augmenter: samplings',
        "demo: the host's time of a split step over KD (meta; launches 400 over 365)",
        "the demo's stages, part of its counted cost",
    }


def test_what_is_judged_is_valid_and_in_the_table(measured, kept):
    targets = [target.to_dict() for target in judge(measured)]
    result = {**kept, 'version': VERSION, 'measured': measured, 'targets': targets}
    check(result)
    page = format_report(result)
    assert all(target['name'] in page for target in targets)
    assert page.count('MISSED') == 2


def test_a_killed_run_keeps_the_parts_that_are_done(tmp_path, monkeypatch):
    def killed(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Measurement, 'training', killed)
    out = tmp_path / 'cost.json'
    with pytest.raises(KeyboardInterrupt):
        main(['--only', 'counts', 'training', '--out', str(out)])
    found = json.loads(out.read_text())
    check(found)
    assert list(found['measured']) == ['counts']
    assert 'default augmenter: samplings' in out.with_suffix('.md').read_text()


def test_an_interrupted_run_is_continued(tmp_path, monkeypatch, capsys):
    where = {**describe(torch.device('cpu')), 'modified': False}
    monkeypatch.setattr('benchmarks.cost.environment.describe', lambda *_: where)
    asked = []
    for part in ('counts', 'training'):
        found = (
            {'demo, search step': {'waits': 0.0}}
            if part == 'counts'
            else {'stages': 0.01, 'tst/kd': 1}
        )
        monkeypatch.setattr(
            Measurement, part, lambda self, part=part, found=found: asked.append(part) or found
        )
    out = str(tmp_path / 'cost.json')
    main(['--only', 'counts', '--out', out])
    main(['--only', 'counts', 'training', '--out', out])
    assert asked == ['counts', 'training']
    assert 'kept counts' in capsys.readouterr().err
    assert list(json.loads((tmp_path / 'cost.json').read_text())['measured']) == [
        'counts',
        'training',
    ]
    main(['--only', 'counts', '--out', out, '--fresh'])
    monkeypatch.setitem(where, 'commit', 'another')
    main(['--only', 'counts', '--out', out])
    assert asked == ['counts', 'training', 'counts', 'counts']


def test_what_changed_beyond_noise_is_said(measured, kept):
    def result():
        targets = [target.to_dict() for target in judge(measured)]
        return {**kept, 'version': VERSION, 'measured': measured, 'targets': targets}

    old = result()
    assert 'no change beyond noise' in format_changes(old, result())
    measured['counts']['default augmenter']['launches'] = 39
    measured['host']['demo']['split/kd'] = {'median': 1.2, 'low': 1.15, 'high': 1.3}
    measured['steps']['demo']['ratios']['split/kd'] = {'median': 1.05, 'low': 1.0, 'high': 1.2}
    lines = format_changes(old, result()).splitlines()[4:]
    assert [line.split('|')[1].split(':')[0].strip() for line in lines] == [
        'demo',
        'default augmenter',
    ]
    assert ['WORSE' in line for line in lines] == [True, False]


@pytest.mark.parametrize(('package', 'part'), [('jsonschema', 'counts'), ('kornia', 'augmenter')])
def test_what_is_not_installed_is_said_before_anything_is_measured(
    package, part, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(
        'benchmarks.cost.__main__.find_spec', lambda name: None if name == package else object()
    )
    with pytest.raises(SystemExit):
        main(['--only', part, '--out', str(tmp_path / 'cost.json')])
    assert f'{package} is not installed' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--rounds', '0'], '--rounds'),
        (['--device', 'cuda'], 'no CUDA device'),
        (['--only', 'colour'], "invalid choice: 'colour'"),
    ],
)
def test_mistakes_are_named(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(SystemExit):
        main(['--only', 'counts', *arguments])
    assert message in capsys.readouterr().err


def test_ratios_are_taken_round_by_round():
    # A machine twice as slow in the second round disturbs both alike.
    ratio = Times((2.0, 4.0, 2.0)).over(Times((1.0, 2.0, 1.0)))
    assert (ratio.median, ratio.low, ratio.high) == (2.0, 2.0, 2.0)


def test_the_middle_half():
    found = spread([5.0, 1.0, 2.0, 3.0, 4.0])
    assert (found.low, found.median, found.high) == (2.0, 3.0, 4.0)
