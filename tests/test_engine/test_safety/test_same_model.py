"""A run goes on with its own model."""

import pytest
from torch import nn

from tst_mm.engine.safety.same_model import check_same_model

STATE = {'message_hub': {}}


def model(width=3, **more):
    return nn.ModuleDict({'a': nn.Linear(2, width), **more})


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_its_own(prefix):
    weights = {f'{prefix}{key}': value for key, value in model().state_dict().items()}
    check_same_model(model(), {'state_dict': weights, **STATE})


@pytest.mark.parametrize(
    ('other', 'words'),
    [
        (model(4), r'a.weight is \(4, 2\), in the model \(3, 2\)'),
        (nn.ModuleDict(), 'a.weight is missing'),
        (model(b=nn.Linear(1, 1)), 'b.weight is not in the model'),
        (nn.ModuleDict({str(i): nn.Linear(1, 1) for i in range(9)}), 'and 17 more'),
    ],
)
def test_another(other, words):
    with pytest.raises(ValueError, match=f'cannot resume: .*{words}.*Give the config of its run'):
        check_same_model(model(), {'state_dict': other.state_dict(), **STATE})


def test_weights_alone():
    for file in ({'state_dict': model().state_dict()}, model().state_dict()):
        with pytest.raises(ValueError, match=r'cannot resume: the file holds weights only.*epoch_'):
            check_same_model(model(), file)


def test_in_a_run(make_runner):
    from ..toy import toy_config

    make_runner('run', {'stages': []}, length=1).train()
    wide = toy_config('', {'stages': []}).model
    wide.student.backbone.stem_channels = wide.teacher.model.backbone.stem_channels = 8
    with pytest.raises(ValueError, match='cannot resume: the checkpoint is of another model'):
        make_runner('run', {'stages': []}, length=2, resume=True, model=wide).train()
    path = f'{make_runner("run", {"stages": []}).work_dir}/epoch_1.pth'
    make_runner('new', {'stages': []}, length=1, load_from=path, model=wide).train()
