"""Whole trainings: what the clock counts, what is compared, that nothing measured is lost."""

import json
import subprocess
from dataclasses import replace

import pytest
from mmengine.config import Config

from benchmarks.cost import run
from benchmarks.cost.clock import SHARES
from benchmarks.cost.run_config import write_config


def clock(step: float, stages: float = 0.0, hooks: float = 0.1) -> dict:
    """What a training of four iterations leaves, of which one was disturbed."""
    parts = {'loader': 0.1, 'step': step, 'hooks': hooks, 'stages': 0.0, 'saving': 0.0}
    iterations = [dict(parts) for _ in range(4)]
    iterations[1]['step'] *= 9
    iterations[2]['stages'] = stages
    seconds = {name: sum(iteration[name] for iteration in iterations) for name in SHARES}
    share = 0.1 if stages else 0.0
    found = {'iterations': iterations, 'seconds': seconds, 'peak': 300 * 2**20}
    return {**found, 'process': 60.0, 'stage_share': share}


def test_an_iteration_counts_stages_as_the_default_schedule_has_them():
    assert run.an_iteration(clock(0.8)) == pytest.approx(1.0)
    # Of ten percent of the cost, which took 0.6 s, the default schedule has two; seven iterations
    # were trained, three of them to warm up.
    assert run.an_iteration(clock(0.8, stages=0.6)) == pytest.approx(1.0 + 0.6 / 7 * 0.2)


@pytest.fixture
def trained(monkeypatch):
    """The trainings that were done; TST takes a tenth more than KD, MMRazor as much as KD."""
    done = []

    def train(name, methods, *args):
        done.extend(methods)
        return {method: clock(0.9 if method == 'tst' else 0.8) for method in methods}

    monkeypatch.setattr(run, 'train', train)
    where = {**run.describe(run.torch.device('cpu')), 'modified': False}
    monkeypatch.setattr(run, 'describe', lambda device: where)
    return done


def test_methods_take_turns_and_are_judged(trained, tmp_path, capsys):
    assert run.main(['--only', 'small', '--rounds', '2', '--work-dir', str(tmp_path)]) == 0
    assert trained == [*run.METHODS] * 2
    lines = [line for line in capsys.readouterr().out.splitlines() if '64 x 32²' in line]
    assert 'met (at most 1.00)' in lines[1] and '1.000' in lines[1]
    assert '1.100 of KD, MISSED (at most 1.05)' in lines[2]
    found = json.loads((tmp_path / 'run.json').read_text())
    assert len(found['runs']) == 6
    # Of the pairs of iterations, one of which was disturbed in both.
    rounds = run.paired(found, 'small', 'tst', 'kd')
    assert len(rounds) == 2 and rounds[0] == pytest.approx([1.1, 1.1, 1.1, 1.1], rel=0.03)


def test_options_are_compared_with_tst(trained, tmp_path, capsys):
    arguments = ['--only', 'large', '--rounds', '1', '--work-dir', str(tmp_path), '--options']
    assert run.main(arguments) == 0
    options = [name for name in run.OPTIONS if not name.endswith('float16')]  # not on a CPU
    assert trained == ['tst', *options]
    lines = [line for line in capsys.readouterr().out.splitlines() if '8 x 224²' in line]
    assert 'TST, channels last' in lines[1]
    assert '0.909 of TST' in lines[1] and 'at most' not in lines[1]
    assert lines[1].split('|')[10].strip() == '300'
    assert (tmp_path / 'options.json').is_file()


@pytest.mark.parametrize('option', run.OPTIONS)
def test_an_option_is_in_the_config(option, tmp_path):
    path = tmp_path / 'config.py'
    share = write_config(path, tmp_path / 'data', 'small', option, 64, 30, 0, 'cpu')
    config = Config.fromfile(path)
    text = str({key: config.get(key) for key in ('optim_wrapper', 'custom_hooks', 'compile')})
    words = {
        'channels_last': 'ChannelsLastHook',
        'compile': "'compile': True",
        'accumulation': "'accumulative_counts': 4",
        'ema': 'EMAHook',
    }
    assert words.get(option, f"'dtype': '{option}'") in text
    assert share > 0 and config.model.augmenter.type == 'tst_mm.LearnedAugmenter'


def test_an_interrupted_benchmark_goes_on_where_it_was(trained, tmp_path, monkeypatch):
    counted = run.train

    def killed(*args):
        if trained:
            raise KeyboardInterrupt
        return counted(*args)

    monkeypatch.setattr(run, 'train', killed)
    arguments = ['--only', 'retinanet', '--rounds', '2', '--work-dir', str(tmp_path)]
    with pytest.raises(KeyboardInterrupt):
        run.main(arguments)
    assert len(json.loads((tmp_path / 'run.json').read_text())['runs']) == 2
    assert '| ' in (tmp_path / 'run.md').read_text()
    monkeypatch.setattr(run, 'train', counted)
    run.main(arguments)
    assert trained == ['kd', 'tst'] * 2


def test_a_training_that_fails_is_named(trained, tmp_path, monkeypatch, capsys):
    def fails(*args):
        raise subprocess.CalledProcessError(1, 'train', stderr='error: no disk')

    monkeypatch.setattr(run, 'train', fails)
    assert run.main(['--only', 'pspnet', '--work-dir', str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert 'pspnet, round 1 of 4: KD, TST' in err and 'no disk' in err


@pytest.mark.slow
def test_real_trainings(tmp_path, monkeypatch):
    monkeypatch.setitem(run.CASES, 'small', replace(run.CASES['small'], batch=8))
    clocks = run.train('small', ['mmrazor', 'tst'], 6, tmp_path / 'run', 0, 'cpu')
    assert list(clocks) == ['mmrazor', 'tst']
    for method, found in clocks.items():
        assert len(found['iterations']) == 3  # three are for warming up
        assert all(iteration['step'] > 0 for iteration in found['iterations'])
        spent = found['seconds']
        assert spent['step'] > max(spent['loader'], spent['saving']) > 0
        assert (spent['stages'] > 0) == (method == 'tst') == (found['stage_share'] > 0)
        assert found['process'] > sum(spent.values())


@pytest.mark.parametrize('name', ['cost_run', 'cost_options'])
def test_the_table_that_is_shown_is_that_of_the_kept_runs(root, name):
    path = root / 'benchmarks' / f'{name}.json'
    kept = json.loads(path.read_text())
    assert run.format_runs(kept) + '\n' == path.with_suffix('.md').read_text()
