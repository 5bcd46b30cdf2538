"""Runs of the fault tests: each task trained once without a fault, to compare with."""

from itertools import count

import pytest

from .harness import Run, start_server
from .tasks import TASKS, write_data


@pytest.fixture(scope='session')
def fault_folder(tmp_path_factory):
    """A folder with the data of all tasks; the server that children come from runs."""
    start_server()
    folder = tmp_path_factory.mktemp('faults')
    write_data(folder)
    return folder


@pytest.fixture(scope='session')
def make_run(fault_folder):
    """Prepare a run of a task in a folder of its own, with changes to the config."""
    numbers = count()

    def make(task: str, **changes) -> Run:
        config = TASKS[task](fault_folder)
        config.merge_from_dict(changes)
        return Run(fault_folder / f'{task}_{next(numbers)}', config)

    return make


@pytest.fixture(scope='session')
def whole(make_run):
    """Outcome, events and run of a task that nothing befell."""
    done = {}

    def of(task: str):
        if task not in done:
            run = make_run(task)
            assert run.train() == 0, run.output[-3000:]
            done[task] = run, run.outcome(), run.events
        return done[task]

    return of
