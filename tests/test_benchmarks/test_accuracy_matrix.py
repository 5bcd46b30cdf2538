"""The matrix: equal cost, chosen images, runs that are not repeated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import forked
import pytest
from mmengine.config import Config

from benchmarks.accuracy import cells, results, runs
from benchmarks.accuracy.cells import Cell, config_key, make_config, plan
from benchmarks.accuracy.cost import Cost
from benchmarks.accuracy.matrix import METHODS, STUDENTS, TASKS
from tst_mm.datasets.embedded_fashion_mnist import EmbeddedFashionMNIST

ROOT = Path(__file__).resolve().parents[2]

_TINY = """
_base_ = ['{root}/benchmarks/accuracy/configs/fashion_mnist_{role}.py']
embedded = dict(_delete_=True, type='tst_mm.EmbeddedFashionMNIST')
pack = [dict(type='mmpretrain.PackInputs')]
train_dataloader = dict(batch_size=8, dataset=dict(split='train', pipeline=pack, **embedded))
val_dataloader = dict(dataset=dict(split='test', indices=100, pipeline=pack, **embedded))
test_dataloader = val_dataloader
{more}
del embedded, pack
"""
_SHORT = """
train_cfg = dict(max_iters=2, val_interval=2)
default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=1))
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A task that trains in seconds, on the embedded images."""
    for role, more in (('student', ''), ('teacher', _SHORT)):
        text = _TINY.format(root=ROOT, role=role, more=more)
        (tmp_path / f'{role}.py').write_text(text)
    task = replace(
        TASKS['fashion_mnist_300'],
        data='tiny',
        student=str(tmp_path / 'student.py'),
        teacher=str(tmp_path / 'teacher.py'),
        images=40,
        budget=20,
        stage_images=4,
    )
    monkeypatch.setitem(TASKS, 'tiny', task)
    cells.cost_of.cache_clear()
    cells._labels.cache_clear()
    return task


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.parametrize('task', TASKS)
def test_methods_cost_the_budget(task, name):
    cost, task = Cost(student=1.0, teacher=9.0, judge=10.0, images=64), TASKS[task]
    found = plan(task, METHODS[name], cost)
    # A step more of the student may bring each stage one of its own.
    assert 0.97 * task.budget < found.cost <= task.budget
    assert all(stage.begin < found.steps for stage in found.stages)


def test_stages_and_looks_are_paid_for_with_student_steps():
    cost = Cost(student=1.0, teacher=1.0, judge=3.0, images=64)  # a draw costs a step of KD's image
    task = replace(TASKS['cifar10_1000'], stage_images=16, budget=1000)
    split, adaptive = (plan(task, METHODS[name], cost) for name in ('policy-half', 'tst'))
    searched = sum(stage.length for stage in split.stages)
    assert split.cost == split.steps + searched
    assert searched == pytest.approx(0.02 * split.steps, abs=5)
    # 11 looks at 64 images, half a step each
    assert split.steps - adaptive.steps == pytest.approx(6, abs=1)


def test_a_search_by_gradient_costs_twice_the_passes():
    cost = Cost(student=1.0, teacher=1.0, judge=3.0, images=64)
    assert cost.searched(64, by_gradient=True) == 2 * cost.searched(64, by_gradient=False) == 2
    assert METHODS['paper'].by_gradient and not METHODS['tst'].by_gradient


def test_few_images_have_no_slice_to_look_at():
    cost = Cost(student=1.0, teacher=9.0, judge=10.0, images=4)
    split, adaptive = (plan(TASKS['land_cover'], METHODS[n], cost) for n in ('policy-half', 'tst'))
    assert split == adaptive


def test_a_method_beyond_the_budget_is_refused():
    task = replace(TASKS['cifar10_1000'], budget=3)
    with pytest.raises(ValueError, match='does not fit a budget of 3 steps'):
        plan(task, METHODS['tst'], Cost(1.0, 9.0, 9.0, 64))


def test_images_are_balanced_chosen_by_the_seed_and_apart(tiny):
    seen, held_out = cells.split_images(Cell('tiny', 'kd', 0))
    other, _ = cells.split_images(Cell('tiny', 'kd', 1))
    dataset = EmbeddedFashionMNIST(split='train')
    labels = [dataset.get_data_info(i)['gt_label'] for i in seen]
    assert [labels.count(c) for c in range(10)] == [4] * 10
    assert not set(seen) & set(held_out)
    assert seen != other
    assert seen == cells.split_images(Cell('tiny', 'tst', 0))[0]


@pytest.mark.parametrize('method', STUDENTS)
def test_every_method_has_a_config_of_its_own(tiny, method):
    policy = 'policy.json' if METHODS[method].policy_of else None
    config = make_config(Cell('tiny', method, 0), policy)
    others = [m for m in STUDENTS if m != method and not METHODS[m].policy_of]
    assert config_key(config) not in {config_key(make_config(Cell('tiny', m, 0))) for m in others}
    assert config.train_cfg.max_iters == config.param_scheduler.T_max


def test_the_published_augmenter_is_that_of_the_task():
    presets = {
        'fashion_mnist_300': 'paper',
        'faster_rcnn': 'paper_dense',
        'land_cover': 'paper_dense',
    }
    for task, preset in presets.items():
        kd = Config.fromfile(ROOT / TASKS[task].student).model
        model = cells.distiller(TASKS[task], kd, dict(METHODS['paper'].model), None)
        assert model['augmenter'] == dict(type='tst_mm.PaperAugmenter', preset=preset)


def test_the_hook_finds_the_stages_that_are_paid_for(tiny):
    config = make_config(Cell('tiny', 'tst', 0))
    (hook,) = config.custom_hooks
    assert 'stages' not in hook and hook.dataloader.batch_size == 4
    config = make_config(Cell('tiny', 'amount', 0))
    assert [h.stages for h in config.custom_hooks] == [[]]


@pytest.mark.slow
def test_finished_runs_are_not_repeated_and_runs_repeat_exactly(tiny, tmp_path, monkeypatch):
    forked.use(monkeypatch.setattr)
    path, work = tmp_path / 'results.jsonl', tmp_path / 'work'
    runs.train_cells([('tiny', 'tst', 0)], 'test', work, path, 2)
    first = path.read_text()
    assert [row.method for row in results.read(path)] == ['teacher', 'tst']
    runs.train_cells([('tiny', 'tst', 0), ('tiny', 'replay', 0)], 'test', work, path, 2)
    rows = results.read(path)
    assert path.read_text().startswith(first)
    assert [row.method for row in rows] == ['teacher', 'tst', 'replay']
    assert rows[1].policy == rows[2].policy != {}
    before, after = runs.repeat('tiny', 'tst', 0, work, path)
    assert before == after


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / 'results.jsonl'
    path.write_text('{"task": "x"}\n')
    with pytest.raises(ValueError, match='results.jsonl, line 1'):
        results.read(path)
