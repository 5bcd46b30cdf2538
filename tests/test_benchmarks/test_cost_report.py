"""What the benchmark of cost writes: valid, judged, in words."""

import json
from copy import deepcopy

import jsonschema
import pytest

from benchmarks.cost.__main__ import SCHEMA, check, main
from benchmarks.cost.table import format_report
from benchmarks.cost.targets import judge
from benchmarks.cost.timing import Times, spread


@pytest.fixture
def kept(root) -> dict:
    """The run that the documentation shows."""
    return json.loads((root / 'benchmarks' / 'cost_cpu.json').read_text())


def test_the_schema_is_one_and_the_kept_run_follows_it(kept):
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))
    check(kept)


def test_an_unknown_part_is_refused(kept):
    kept['measured']['colour'] = {}
    with pytest.raises(jsonschema.ValidationError):
        check(kept)


def test_the_table_that_is_shown_is_that_of_the_kept_run(kept, root):
    assert format_report(kept) + '\n' == (root / 'benchmarks' / 'cost_cpu.md').read_text()


def test_targets_are_judged_anew_from_what_was_measured(kept):
    measured = deepcopy(kept['measured'])
    before = {target.name: target.met for target in judge(measured)}
    assert before == {target['name']: target['met'] for target in kept['targets']}
    measured['counts']['student stage']['samplings'] = 2
    after = {target.name: target.met for target in judge(measured)}
    assert {name for name in before if before[name] != after[name]} == {'student stage: samplings'}


def test_counts_need_no_clock_and_no_kornia(tmp_path, capsys):
    assert main(['--only', 'counts', '--out', str(tmp_path / 'cost.json')]) == 0
    check(json.loads((tmp_path / 'cost.json').read_text()))
    assert 'student stage: samplings' in capsys.readouterr().out


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
