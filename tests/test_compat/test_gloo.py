"""The launcher's function on a machine with an accelerator; without one, see ``test_tools``."""


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
