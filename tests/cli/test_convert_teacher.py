"""A teacher trained elsewhere becomes one of ours."""

import pytest
import torch
from test_models.test_backbones import layouts

from tst_mm.models.teacher import FrozenTeacher

CONFIG = 'configs/classification/plain_{}_1xb128-240e_cifar100.py'


@pytest.fixture
def checkpoint(tmp_path):
    """As RepDistiller leaves it."""
    path = tmp_path / 'ckpt_epoch_240.pth'
    torch.save({'epoch': 240, 'model': layouts.resnet8x4_weights(), 'best_acc': 72.5}, path)
    return path


def test_the_file_is_what_a_student_is_given(tool, root, tmp_path, monkeypatch, checkpoint):
    monkeypatch.chdir(root)
    out = tmp_path / 'teacher.pth'
    config = CONFIG.format('resnet8x4')
    code, text, err = tool('convert_teacher.py', checkpoint, config, '--out', out)
    assert code == 0 and 'teacher.pth: 62 tensors, ' in text, err
    teacher = FrozenTeacher({'cfg_path': config, 'checkpoint': str(out)})
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        logits = teacher.model.head(teacher.model.extract_feat(images))
    expected = layouts.resnet8x4(layouts.resnet8x4_weights(), images)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.faults
@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (CONFIG.format('resnet32x4'), "the weights lack 'backbone.layer1.1.conv1.weight'"),
        (CONFIG.format('vgg8'), 'which CIFARVGG has not: another model?'),
        ('none.py', "no config file 'none.py'"),
    ],
)
@pytest.mark.filterwarnings('ignore:Unnecessary conv bias')
def test_mistakes_are_named_and_leave_no_file(
    tool, root, tmp_path, monkeypatch, checkpoint, config, message
):
    monkeypatch.chdir(root)
    code, _, err = tool('convert_teacher.py', checkpoint, config)
    assert code == 1 and message in err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.name]
