"""torchvision imports beside any torch, and keeps its own operators where they load."""

import pytest
import torch

import tst_mm.compat.torchvision as mend


def test_imports_and_transforms_work():
    import torchvision
    from torchvision import transforms

    assert torchvision.ops.box_iou(*[torch.tensor([[0.0, 0.0, 2.0, 2.0]])] * 2).item() == 1
    assert transforms.ToTensor()(torch.zeros(4, 4, 3, dtype=torch.uint8).numpy()).shape[0] == 3


def test_operators_are_its_own_or_say_that_they_are_missing():
    import torchvision

    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9]])
    scores = torch.tensor([0.9, 0.8])
    if torchvision.extension._has_ops():
        assert mend._DECLARED == []
        assert torchvision.ops.nms(boxes, scores, 0.5).tolist() == [0]
    else:
        assert mend._DECLARED
        with pytest.raises(RuntimeError, match=r"Couldn't load custom C\+\+ ops"):
            torchvision.ops.nms(boxes, scores, 0.5)


def test_declares_nothing_twice():
    import torchvision

    before = list(mend._DECLARED)
    with mend.declared_operators(torchvision):
        pass
    assert before == mend._DECLARED
