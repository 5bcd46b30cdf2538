"""Workers obey a SIGTERM of their own process and no other, and no Ctrl-C."""

import os
import signal
import subprocess
import time

from torch.utils.data import DataLoader, Dataset

from tst_mm.engine.data.loader_workers import outlive_signals


class Pids(Dataset):
    """Gives the process that loads."""

    def __len__(self):
        return 50

    def __getitem__(self, index):
        return os.getpid()


def test_only_the_main_process_is_obeyed():
    began = []
    loader = DataLoader(Pids(), num_workers=1, worker_init_fn=began.append)
    outlive_signals(loader)
    batches = iter(loader)
    worker = int(next(batches))
    for name in ('TERM', 'INT', 'TERM', 'INT'):
        subprocess.run(['kill', f'-{name}', str(worker)], check=True)
        time.sleep(0.05)
        assert int(next(batches)) == worker
    assert began == []  # the function given runs in the worker
    process = batches._workers[0]
    os.kill(worker, signal.SIGTERM)
    process.join(5)
    assert process.exitcode == 0


def test_a_signal_to_a_worker_that_only_starts():
    delay = [0.3]
    os.register_at_fork(after_in_child=lambda: time.sleep(delay[0]))
    loader = DataLoader(Pids(), num_workers=1)
    outlive_signals(loader)
    try:
        batches = iter(loader)
    finally:
        delay[0] = 0.0
    worker = batches._workers[0].pid
    for name in ('TERM', 'INT'):
        subprocess.run(['kill', f'-{name}', str(worker)], check=True)
    assert [int(pid) for pid in batches] == [worker] * 50
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, [])  # here they arrive
