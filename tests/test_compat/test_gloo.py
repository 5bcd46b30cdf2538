"""Distributed training on a machine without a GPU, with nothing special in the config."""

import subprocess
import sys

import pytest

CODE = """
import os, torch
import tst_mm
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.dist import get_rank, get_world_size, get_backend
from torch.utils.data import Dataset

class Numbers(Dataset):
    def __len__(self): return 8
    def __getitem__(self, i): return (torch.tensor([float(i)]),)

class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(1, 1)
    def forward(self, inputs, mode='tensor'):
        return dict(loss=self.fc(inputs).mean())

runner = Runner(
    model=Model(), work_dir=os.environ['WORK_DIR'], experiment_name='gloo', launcher='pytorch',
    train_dataloader=dict(dataset=Numbers(), batch_size=2, num_workers=0,
                          sampler=dict(type='DefaultSampler', shuffle=False),
                          collate_fn=dict(type='default_collate')),
    train_cfg=dict(by_epoch=True, max_epochs=1),
    optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
    env_cfg=dict(dist_cfg=dict(backend='nccl')), randomness=dict(seed=0), log_level='ERROR')
with torch.no_grad():
    runner.model.module.fc.weight.fill_(0.0)
runner.train()
assert (get_backend(), get_world_size()) == ('gloo', 2)
assert type(runner.model).__name__ == 'MMDistributedDataParallel'
# d(loss)/d(weight) is the mean input; both ranks together see 0..7 once: -0.1 * (sum of means)
expected = -0.1 * sum([(0 + 2 + 1 + 3) / 4, (4 + 6 + 5 + 7) / 4])
assert abs(runner.model.module.fc.weight.item() - expected) < 1e-6, runner.model.module.fc.weight
"""


@pytest.mark.distributed
@pytest.mark.slow
def test_two_processes_train_over_gloo(tmp_path, monkeypatch):
    script = tmp_path / 'train.py'
    script.write_text(CODE)
    monkeypatch.setenv('WORK_DIR', str(tmp_path))
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '-1')  # a machine without a GPU
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    done = subprocess.run([*command, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_gpu_machine_is_left_alone(monkeypatch):
    """Where there is an accelerator the launcher's own function gets its own arguments."""
    from tst_mm.compat.gloo import _gloo_on_cpu

    calls = []
    init = _gloo_on_cpu(lambda *args, **kwargs: calls.append((args, kwargs)))
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cuda')
    init('nccl', timeout=3)
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cpu')
    init('nccl', timeout=3)
    assert calls == [(('nccl',), {'timeout': 3}), (('gloo',), {'timeout': 3})]
