"""MMRazor beside the installed torch and mmcv, with the real package."""

import subprocess
import sys

import mmcv
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.utils import digit_version
from torch import nn

from tst_mm.compat import load_mmrazor, mmrazor


def test_imports_in_a_fresh_process_without_a_word():
    code = (
        'import tst_mm\n'
        'from mmrazor.models.distillers import ConfigurableDistiller\n'
        'import mmcv, importlib.metadata as m\n'
        "name = 'onedl-mmcv' if mmcv.__version__ > '2.1.0' else 'mmcv'\n"
        'assert mmcv.__version__ == m.version(name)\n'
    )
    command = [sys.executable, '-W', 'error::UserWarning', '-c', code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ''


def test_versions_are_told_to_mmrazor_only():
    razor = load_mmrazor()
    assert digit_version(mmcv.__version__) == digit_version(mmcv.version.__version__)
    assert digit_version(torch.__version__) >= digit_version('2.1')
    if not mmrazor._torch_has_what_quantization_needs():
        assert razor.digit_version(torch.__version__) == digit_version('1.12.1')
    assert razor.digit_version('2.1.0') == digit_version('2.1.0')


def test_nothing_is_told_where_torch_is_old_enough(monkeypatch):
    class Module:
        digit_version = staticmethod(digit_version)

    monkeypatch.setattr(mmrazor, '_torch_has_what_quantization_needs', lambda: True)
    with mmrazor.accepted_versions(Module):
        pass
    assert Module.digit_version is digit_version


def test_mmcv_gets_its_version_back_after_a_failing_import(monkeypatch):
    monkeypatch.setattr(mmcv, '__version__', '2.3.6')
    with pytest.raises(RuntimeError), mmrazor.accepted_versions(object()):
        assert mmcv.__version__ == '2.1.0'
        raise RuntimeError
    assert mmcv.__version__ == '2.3.6'


def test_distiller_computes_what_it_should():
    """KL between two linear layers, through recorders and a connector, against torch's own."""
    load_mmrazor()
    from mmrazor.registry import MODELS

    recorder = {'fc': ConfigDict(type='ModuleOutputs', source='fc')}
    distiller = MODELS.build(
        ConfigDict(
            type='ConfigurableDistiller',
            _scope_='mmrazor',
            student_recorders=recorder,
            teacher_recorders=recorder,
            distill_losses=dict(loss_kl=dict(type='KLDivergence', tau=2.0)),
            connectors=dict(
                fit=dict(
                    type='TorchNNConnector',
                    module_name='Linear',
                    module_args=dict(in_features=5, out_features=5),
                )
            ),
            loss_forward_mappings=dict(
                loss_kl=dict(
                    preds_S=dict(from_student=True, recorder='fc', connector='fit'),
                    preds_T=dict(from_student=False, recorder='fc'),
                )
            ),
        )
    )
    student, teacher = (nn.Sequential() for _ in range(2))
    student.add_module('fc', nn.Linear(3, 5))
    teacher.add_module('fc', nn.Linear(3, 5))
    distiller.prepare_from_student(student)
    distiller.prepare_from_teacher(teacher)
    images = torch.randn(4, 3)
    with distiller.student_recorders:
        predicted = student(images)
    with torch.no_grad(), distiller.teacher_recorders:
        wanted = teacher(images)
    loss = sum(distiller.compute_distill_losses().values())
    fit = distiller.connectors['fit']
    expected = 4.0 * nn.functional.kl_div(
        (fit(predicted) / 2).log_softmax(1), (wanted / 2).softmax(1), reduction='batchmean'
    )
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert student.fc.weight.grad.abs().sum() > 0
    assert teacher.fc.weight.grad is None


def test_missing_mmrazor_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(mmrazor, 'installed_version', lambda name: None)
    with pytest.raises(ImportError, match=r"pip install --no-deps 'mmrazor==1\.0\.0'"):
        load_mmrazor()


def test_missing_requirement_of_mmrazor_is_named(monkeypatch):
    def fail(name):
        raise ModuleNotFoundError("No module named 'joblib'", name='joblib')

    monkeypatch.setattr(mmrazor.importlib, 'import_module', fail)
    with pytest.raises(ImportError, match='needs the package .joblib.*pip install joblib'):
        load_mmrazor()
