"""Whatever a forward pass changes is put back, in place."""

import random
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from tst_mm.models.unchanged import unchanged


class Stateful(nn.Module):
    """A module that keeps state in every way that models do."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.register_buffer('average', torch.zeros(3))
        self.steps = 0
        self.history = [0.5]
        self.recent = deque([1, 2], maxlen=2)
        self.seen = {'a'}
        self.sizes = {'scale': 1.0, 'nested': {'list': [1]}}
        self.array = np.zeros(3)
        self.fixed = np.broadcast_to(np.zeros(1), (3,))  # cannot be written
        self.loose = torch.zeros(2)
        self.pair = (torch.zeros(2), [1])
        self.spread = torch.zeros(1).expand(3)
        self.assigner = SimpleNamespace(threshold=0.5, counts=[0])
        self.generator = torch.Generator()
        self.nothing = None
        self.part = nn.BatchNorm1d(3)


CHANGES = {
    'weight': lambda m: m.weight.data.add_(1),
    'weight is another': lambda m: setattr(m, 'weight', nn.Parameter(torch.zeros(3))),
    'buffer': lambda m: m.average.add_(1),
    'buffer by its data': lambda m: m.average.data.add_(1),
    'buffer of another shape': lambda m: m.average.resize_(5),
    'buffer is another': lambda m: setattr(m, 'average', torch.ones(3)),
    'statistics': lambda m: m.part(torch.randn(4, 3)),
    'part is another': lambda m: setattr(m, 'part', nn.Identity()),
    'number': lambda m: setattr(m, 'steps', 1),
    'list': lambda m: m.history.append(0.7),
    'item of a list': lambda m: m.history.__setitem__(0, 0.7),
    'deque': lambda m: m.recent.append(3),
    'set': lambda m: m.seen.add('b'),
    'dict': lambda m: m.sizes.update(scale=2.0),
    'new key': lambda m: m.sizes.update(other=2.0),
    'nested': lambda m: m.sizes['nested']['list'].append(2),
    'array': lambda m: m.array.__iadd__(1),
    'loose tensor': lambda m: m.loose.add_(1),
    'tensor in a tuple': lambda m: m.pair[0].add_(1),
    'list in a tuple': lambda m: m.pair[1].append(1),
    'object': lambda m: setattr(m.assigner, 'threshold', 0.6),
    'list of an object': lambda m: m.assigner.counts.append(1),
    'generator': lambda m: torch.rand(1, generator=m.generator),
    'new attribute': lambda m: setattr(m, 'cache', [1]),
    'new object': lambda m: setattr(m, 'cache', SimpleNamespace()),
    'new buffer': lambda m: m.register_buffer('late', torch.ones(1)),
    'none is filled': lambda m: setattr(m, 'nothing', torch.ones(1)),
    'deleted': lambda m: delattr(m, 'steps'),
    'flag': lambda m: m.part.eval(),
}


def content(value):
    """A value in a form that tells contents apart."""
    if isinstance(value, torch.Tensor):
        return (id(value), tuple(value.shape), value.tolist())
    if isinstance(value, torch.Generator):
        return value.get_state().tolist()
    if isinstance(value, np.ndarray):
        return (id(value), value.tolist())
    if isinstance(value, dict):
        return {key: content(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, deque)):
        return (type(value), [content(item) for item in value])
    if isinstance(value, (nn.Module, SimpleNamespace)):
        return (id(value), content(vars(value)))
    return set(value) if isinstance(value, set) else value


@pytest.mark.parametrize('what', CHANGES)
def test_a_change_is_put_back(what):
    model = Stateful()
    held = [model.history, model.sizes, model.recent, model.assigner]
    before = content(model)
    with unchanged(model):
        with torch.no_grad():
            CHANGES[what](model)
        assert content(model) != before
    assert content(model) == before
    # Who else holds a container holds the same one.
    assert all(a is b for a, b in zip(held, vars_of(model), strict=True))


def vars_of(model):
    return [model.history, model.sizes, model.recent, model.assigner]


def test_also_after_an_error():
    model = Stateful()
    with pytest.raises(ZeroDivisionError), unchanged(model):
        model.steps = 5
        raise ZeroDivisionError
    assert model.steps == 0


def test_random_generators_are_put_back():
    def numbers():
        return random.random(), np.random.rand(), float(torch.rand(1))

    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = numbers()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    with unchanged():
        numbers()
    assert numbers() == expected


def test_parts_in_common_and_circles():
    """Student and teacher may share parts, and objects may know who holds them."""
    one, other = Stateful(), Stateful()
    other.part = one.part
    one.assigner.owner = one
    one.history.append(one.history)
    with unchanged(one, other):
        one.part.running_mean.add_(1)
        one.steps = other.steps = 3
        one.history.clear()
    assert not one.part.running_mean.any()
    assert (one.steps, other.steps, len(one.history)) == (0, 0, 2)


def test_what_objects_of_objects_hold_is_left_alone():
    """They may lead anywhere, for example to the run and its data."""
    model = Stateful()
    model.assigner.run = SimpleNamespace(iteration=0)
    with unchanged(model):
        model.assigner.run.iteration = 1
    assert model.assigner.run.iteration == 1


def test_gradients_stay():
    model = Stateful()
    model.weight.grad = torch.full((3,), 2.0)
    with unchanged(model), torch.no_grad():
        model.weight.add_(1)
    assert torch.equal(model.weight.grad, torch.full((3,), 2.0))
    assert model.weight.requires_grad and torch.equal(model.weight, torch.ones(3))


def test_tensors_of_all_kinds_are_put_back_together():
    model = nn.Module()
    kinds = (torch.float32, torch.float16, torch.int64, torch.bool)
    model.parts = [torch.randn(2, 3, 4, 4).to(kind) for kind in kinds]
    model.parts += [torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)]
    model.parts += [torch.zeros(0), torch.zeros(()), torch.randn(6, 4)[:, :2], torch.randn(3, 5).T]
    before = [part.clone() for part in model.parts]
    with unchanged(model):
        for part in model.parts:
            part.logical_not_()
    assert all(torch.equal(*pair) for pair in zip(model.parts, before, strict=True))


def test_copies_do_not_grow_with_the_number_of_tensors():
    class Calls(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.count += '_like' not in str(func)
            return func(*args, **(kwargs or {}))

    counts = []
    for depth in (1, 20):
        model = nn.Sequential(*[nn.BatchNorm2d(3) for _ in range(depth)])
        with Calls() as calls, unchanged(model):
            pass
        counts.append(calls.count)
    assert counts[0] == counts[1]
