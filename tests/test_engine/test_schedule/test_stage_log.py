"""What ``policy.json`` says is the same whether a run was interrupted or not, and complete."""

import json
from pathlib import Path

from tst_mm.engine.schedule.alternating_schedule_hook import AlternatingScheduleHook


def policy_of(runner):
    return json.loads(Path(runner.work_dir, 'policy.json').read_text())


def test_evidence_survives_a_resume_after_the_last_stage(make_runner):
    hook = {'stages': [{'begin': 1, 'iters': 3}], 'interval': 3}
    whole = make_runner('whole', hook, length=3)
    whole.train()
    make_runner('part', hook, length=2).train()
    resumed = make_runner('part', hook, length=3, resume=True)
    resumed.train()
    found = [policy_of(runner)['operators'] for runner in (whole, resumed)]
    assert all('effect' in operator for operator in found[0])
    assert found[0] == found[1]


def test_what_came_after_the_last_stage_is_in_the_file(make_runner, monkeypatch):
    looks = [{'iter': 2, 'fraction': 0.5, 'seen': 1.0, 'unseen': 2.0, 'gap': 0.5}]
    original = AlternatingScheduleHook.before_train_iter

    def look(self, runner, *args, **kwargs):
        self.log.amount = looks
        original(self, runner, *args, **kwargs)

    monkeypatch.setattr(AlternatingScheduleHook, 'before_train_iter', look)
    runner = make_runner('run', {'stages': []}, length=1)
    runner.train()
    assert policy_of(runner)['amount'] == looks
