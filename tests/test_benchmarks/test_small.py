"""Small trainings in memory: equal cost, no run twice, tables that say what the runs say."""

import json
from dataclasses import replace
from statistics import mean

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from benchmarks.small import __main__ as command
from benchmarks.small import agreement, comparison, report
from benchmarks.small.matrix import METHODS, TASKS
from benchmarks.small.parts import imitation, influence, network
from benchmarks.small.published import PublishedTraining
from benchmarks.small.runs import expected_time
from benchmarks.small.training import LOOKED_AT, RELEASE, STAGE_BATCH, Training


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A bright and a dark class, 250 images of each to train."""
    folder, random = tmp_path_factory.mktemp('data') / 'digits', np.random.default_rng(0)
    for split, count in (('train', 250), ('test', 40)):
        for label, level in (('dark', 80), ('bright', 170)):
            place = folder / split / label
            place.mkdir(parents=True)
            for i in range(count):
                image = random.normal(level, 40, (8, 8)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(place / f'{i}.png'), image)
    return folder


@pytest.fixture(autouse=True)
def short(monkeypatch):
    task = replace(TASKS['digits'], images=400, budget=40, teacher_steps=10)
    monkeypatch.setitem(TASKS, 'digits', task)


@pytest.mark.parametrize('depths', [None, (8, 14)])
def test_all_methods_have_the_same_cost(depths, data, tmp_path):
    """In forward passes of the student's and the teacher's, a backward pass counting as two."""
    flops, task = {}, replace(TASKS['digits'], depths=depths, batch=48)
    for name in ('kd', 'tst'):
        training = Training(task, METHODS[name], 0, data, tmp_path)
        student, teacher = (training.flops(net) for net in (training.student, training.teacher))
        copies = 5 * training.stage_length * STAGE_BATCH * 4 if name == 'tst' else 0
        looked = training.looks * RELEASE * 2 * LOOKED_AT
        flops[name] = training.steps * 48 * (3 * student + teacher)
        flops[name] += (copies + looked) * (student + teacher)
    assert training.stage_length > 0 and training.looks >= 20
    assert flops['tst'] == pytest.approx(flops['kd'], rel=1 / 40)
    # As published, all images are seen twice; in stages a backward pass stops at the image.
    published = PublishedTraining(task, METHODS['paper'], 0, data, tmp_path)
    searched = 4 * published.stage_length * STAGE_BATCH
    assert searched == pytest.approx(0.1 * 40 * 48, rel=0.1)
    cost = 2 * published.steps * 48 * (3 * student + teacher) + searched * 2 * (student + teacher)
    assert cost == pytest.approx(flops['kd'], rel=2 / 40)


def test_the_published_search_moves_the_policy_and_nothing_else(data, tmp_path):
    """Weights, norm statistics and modes of the student stay as they are."""
    training = PublishedTraining(TASKS['digits'], METHODS['paper'], 0, data, tmp_path)
    before = {name: value.clone() for name, value in training.student.state_dict().items()}
    search, policy = training._new_search(), training.augmenter.policy
    start = policy.probability_logits.clone()
    training._search(search, 0)
    assert not torch.equal(policy.probability_logits, start)
    after = training.student.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert training.student.training and training.run()['policy'] is not None


def test_influence_is_what_a_step_of_the_last_layer_brings():
    """Against gradients of the last layer, image by image."""
    torch.manual_seed(0)
    student, teacher = (network(width, 1, 3).eval() for width in (2, 4))
    images, others = ((torch.randn(n, 1, 8, 8), torch.randint(3, (n,))) for n in (3, 5))

    def loss(images, labels):
        with torch.no_grad():
            wanted = teacher(images)
        logits = student(images)
        return F.cross_entropy(logits, labels) + imitation(logits, wanted).mean()

    found = influence(images, others, student, teacher)
    last = list(student[-1].parameters())
    toward = torch.autograd.grad(loss(*others), last)
    for i, value in enumerate(found):
        own = torch.autograd.grad(loss(images[0][i : i + 1], images[1][i : i + 1]), last)
        exact = sum((a * b).sum() for a, b in zip(own, toward, strict=True))
        assert value.item() == pytest.approx(exact.item(), rel=0.1, abs=0.05)  # bfloat16


def test_the_readme_has_numbers_of_the_file(root):
    """Of the amount, and of the worst tasks of the default and of its rivals."""
    text = (root / 'README.md').read_text()
    found = report.cells(report.read_runs(report.PATH))
    for method in ('kd', 'random-half', 'random', 'amount'):
        means = [mean(found[task][method].values()) for task in ('cifar_1k_bare', 'cifar_50k_bare')]
        assert f'{means[0]:.1f} |                      {means[1]:.1f} |' in text
    page = (root / 'docs' / 'results.md').read_text()
    lines = page.split('over the best rival')[1].split('\n\n')[0].splitlines()[2:]
    rows = {
        words[0]: words[1:-1]
        for words in ([w.strip() for w in line.split('|')[1:-1]] for line in lines)
    }

    def behind(method):
        """In the worst of the eight tasks."""
        return f'{-min(0.0 if word == "best" else float(word) for word in rows[method][:8]):.1f}'

    mild, usual, strong = (behind(f'KD + RandAugment, strength {n}') for n in (5, 9, 14))
    half = behind('KD + untrained policy, half of the images')
    trivial = behind('KD + TrivialAugment')
    words = (
        f'the default is at most {behind("TST")} points behind the best rival of a task.',
        f'KD is up to {behind("KD")}, RandAugment up to {mild}, {usual} and {strong}',
        f'at strengths 5, 9 and 14, TrivialAugment up to {trivial},',
        f'the untrained policy on half of the images up to {half}.',
    )
    assert ' '.join(words) in ' '.join(text.split())


def test_methods_of_a_seed_have_the_same_teacher():
    """What another processor trains is another teacher: such lines are not compared by seed."""
    teachers = {}
    for run in report.read_runs(report.PATH):
        teachers.setdefault((run['task'], run['seed']), set()).add(run['teacher'])
    # On a GPU a few of 5,000 images change sides between runs.
    allowed = {task: 0.3 if TASKS[task].depths else 0.0 for task, _ in teachers}
    assert all(max(v) - min(v) <= allowed[task] for (task, _), v in teachers.items())


def test_a_run_is_on_file_once_and_repeats_exactly(data, tmp_path, capsys):
    arguments = ['run', '--tasks', 'digits', '--seeds', '3', '--data', str(data.parent)]
    arguments += ['--work-dir', str(tmp_path), '--methods', 'tst', 'cutmix', 'tst-influence']
    paths = [tmp_path / 'a.jsonl', tmp_path / 'b.jsonl']
    for path in (paths[0], paths[0], paths[1]):
        command.main([*arguments, '--out', str(path)])
    first, second = ([json.loads(line) for line in path.read_text().splitlines()] for path in paths)
    assert [run['method'] for run in first] == ['tst', 'cutmix', 'tst-influence']
    for runs in (first, second):
        for run in runs:
            assert run.pop('seconds') >= 0 and 40 <= run['test'] <= 100
    assert first == second
    assert first[0]['amount'] and len(first[0]['policy']) == 14
    assert capsys.readouterr().out.count('digits: a teacher first, 10 steps') == 1
    command.main(['table', '--out', str(paths[0])])
    assert 'TST' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (['--methods', 'tsd'], "'tsd' is unknown; did you mean 'tst'"),
        (['--tasks', 'digit'], "'digit' is unknown; did you mean 'digits'"),
        (['--seeds', 'a-4'], "--seeds is 'a-4'"),
        (['--jobs', '0'], '--jobs is 0; allowed: 1 or more'),
        (['--device', 'gpu'], "invalid choice: 'gpu'"),
        (['--data', 'nowhere'], 'is missing; tools/data makes it'),
    ],
)
def test_mistakes_show_before_anything_is_trained(changes, message, capsys):
    with pytest.raises(SystemExit):
        command.main(['run', *changes])
    assert message in capsys.readouterr().err


def test_the_table_says_what_the_runs_say(tmp_path, monkeypatch):
    runs = []
    for seed in range(4):
        for method, value in (('kd', 80 + seed), ('random', 82.5 + seed), ('tst', 83 + seed)):
            policy = [float(i + seed % 2) for i in range(14)] if method == 'tst' else None
            run = dict(task='cifar_1k', method=method, seed=seed, test=value, validation=0.0)
            run |= dict(teacher=90.0, steps=10, amount=[[1, 0.5, 0.1]] if policy else [])
            runs.append({**run, 'policy': policy, 'known': [True] * 14, 'commit': 'abc1234'})
    runs.append({**runs[-1], 'seed': 100, 'test': 0.0})  # it chose, and is not reported
    said = report.section(runs, tmp_path)
    assert '**+3.00** (+3.00 to +3.00)' in said and '12 runs of commits `abc1234`' in said
    assert 'over KD + untrained policy, all images' in said
    apart = {**runs[0], 'task': 'cifar_1k_bare'}
    kd, random, tst, usual = comparison.headline([*runs, apart]).splitlines()[2:]
    assert [cell.strip() for cell in kd.split('|')[2:-1]] == ['-2.50', '-2.50']  # a task, the worst
    assert 'best' in random and '+0.50' in tst
    assert [cell.strip() for cell in usual.split('|')[2:-1]] == ['+1.75', '+1.75']
    values = dict(kd=1.0, random=2.0, tst=1.5, plain=9.0)
    dense = {'a detector': {name: {0: value, 1: value} for name, value in values.items()}}
    assert (
        '-0.50' in comparison.headline(runs, dense).splitlines()[4]
    )  # not behind the student alone
    assert comparison.summary(runs, dense).count('The worst of') == 2
    drawn = []
    monkeypatch.setattr(comparison.pictures, 'draw_headline', lambda *given: drawn.extend(given))
    comparison.draw(runs, dense, tmp_path / 'headline.png')
    gaps, tasks, ours, _ = drawn
    assert tasks == [TASKS['cifar_1k'].title, 'a detector'] and ours in gaps
    assert gaps['KD'] == pytest.approx({tasks[0]: -2.5, 'a detector': -1.0})
    [line] = comparison.summary([*runs, apart]).splitlines()
    assert 'KD -2.50 (CIFAR-10, 1,000 images); ' in line and 'TST +0.50 (CIFAR-10' in line
    assert 'at most 0.3 behind the best rival on 1, and above the mean of the rivals on 1.' in line
    alone = [{**run, 'method': 'amount'} for run in runs if run['method'] == 'random']
    [search, amount] = comparison.ablations([*runs, *alone]).splitlines()[2:]
    assert 'the search, beside the amount' in search and '**+0.50** (+0.50 to +0.50)' in search
    assert 'the amount alone, over all' in amount and '+0.00' in amount
    assert 'Invert (+12.5)' in said and '4 seeds: more ' in said  # of policies i + seed % 2
    assert '| TST         |                   1.00 |' in report.agreements(runs)
    assert '1.00 on average over 6 pairs of seeds; 14.0 of 14 effects are known' in said
    assert 'TST against KD: above it on CIFAR-10, 1,000 images (+3.00).' in comparison.verdict(runs)
    assert (tmp_path / 'results_amounts.png').stat().st_size > 3000
    assert 'Other settings' not in said
    chose = [
        {**runs[-1], 'seed': 100 + seed, 'method': method, 'validation': value + seed}
        for seed in range(4)
        for method, value in (('tst-four', 70), ('tst-trust', 72), ('kd', 71 - seed))
    ]
    said = report.section([*runs[:-1], *chose], tmp_path).split('Other settings')[1]
    assert 'over TST' in said and '4 seeds' in said
    assert '**+2.00** (+2.00 to +2.00)' in said and '-0.50 (' in said


def test_the_expected_time_is_that_of_like_runs():
    """Of the same task on the same kind of device, shared by those that train at once."""
    runs = [dict(task='digits', seconds=seconds) for seconds in (100, 120, 900)]
    runs.append(dict(task='digits', seconds=1, device='cuda, some card'))
    missing = [(seed, 'digits', 'kd') for seed in range(10)]
    assert expected_time(missing, runs, 'cpu', 2) == ', about 10 minutes'
    assert expected_time(missing, runs, 'cuda', 2) == ', about 1 minutes'
    assert expected_time([(0, 'cifar_1k', 'kd')], runs, 'cpu', 1) == ''


def test_agreement_is_told_for_each_part_of_the_objective(data, tmp_path):
    """On the parts of the objective, and on their sum by one search and by two together."""
    found = agreement.agreement('digits', 100, 30, 6, data.parent, tmp_path)
    assert list(found) == list(agreement.COLUMNS)
    assert all(-1 <= value <= 1 for value in found.values())
    assert found[agreement.COLUMNS[0]] > 0.3  # an inverted image is of the other class
