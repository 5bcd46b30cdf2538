"""The CRD benchmark's networks on plain dicts of weights, as its checkpoints hold them.

Written from the papers' tables and the names in the checkpoints, without any module: what a
converted teacher must compute.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = dict[str, Tensor]


def make(*shapes: tuple[str, tuple[int, ...]]) -> Weights:
    """Random weights; a name of ``bn`` with its channels stands for all that a BatchNorm has."""
    generator = torch.Generator().manual_seed(0)
    weights: Weights = {}
    for name, shape in shapes:
        if len(shape) > 1:
            fan = torch.Size(shape[1:]).numel()
            weights[f'{name}.weight'] = torch.randn(shape, generator=generator) * (2 / fan) ** 0.5
            continue
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            weights[f'{name}.{part}'] = torch.rand(shape, generator=generator) + 0.5
        weights[f'{name}.num_batches_tracked'] = torch.tensor(7)
    return weights


def conv(x: Tensor, w: Weights, name: str, stride: int = 1, groups: int = 1) -> Tensor:
    kernel, bias = w[f'{name}.weight'], w.get(f'{name}.bias')
    return F.conv2d(x, kernel, bias, stride, padding=kernel.shape[-1] // 2, groups=groups)


def norm(x: Tensor, w: Weights, name: str) -> Tensor:
    mean, var = w[f'{name}.running_mean'], w[f'{name}.running_var']
    return F.batch_norm(x, mean, var, w[f'{name}.weight'], w[f'{name}.bias'])


def shuffle(x: Tensor, groups: int) -> Tensor:
    """The channels of all groups take turns."""
    count = x.shape[1] // groups
    order = [g * count + i for i in range(count) for g in range(groups)]
    return x[:, order]


def linear(x: Tensor, w: Weights, name: str) -> Tensor:
    return x.mean((2, 3)) @ w[f'{name}.weight'].T + w[f'{name}.bias']


def resnet8x4(w: Weights, x: Tensor) -> Tensor:
    x = norm(conv(x, w, 'conv1'), w, 'bn1').relu()
    for stage, stride in ((1, 1), (2, 2), (3, 2)):
        block = f'layer{stage}.0'
        y = norm(conv(x, w, f'{block}.conv1', stride), w, f'{block}.bn1').relu()
        y = norm(conv(y, w, f'{block}.conv2'), w, f'{block}.bn2')
        x = norm(conv(x, w, f'{block}.downsample.0', stride), w, f'{block}.downsample.1')
        x = (x + y).relu()
    return linear(x, w, 'fc')


def wrn_10_2(w: Weights, x: Tensor) -> Tensor:
    x = conv(x, w, 'conv1')
    for stage, stride in ((1, 1), (2, 2), (3, 2)):
        block = f'block{stage}.layer.0'
        x = norm(x, w, f'{block}.bn1').relu()
        y = norm(conv(x, w, f'{block}.conv1', stride), w, f'{block}.bn2').relu()
        x = conv(x, w, f'{block}.convShortcut', stride) + conv(y, w, f'{block}.conv2')
    return linear(norm(x, w, 'bn1').relu(), w, 'fc')


def vgg13(w: Weights, x: Tensor) -> Tensor:
    for stage in range(5):
        for layer in (0, 3):
            x = conv(x, w, f'block{stage}.{layer}')
            x = norm(x, w, f'block{stage}.{layer + 1}').relu()
        if stage < 3:
            x = F.max_pool2d(x, 2)
    return linear(x, w, 'classifier')


def mobilenet_v2(w: Weights, x: Tensor) -> Tensor:
    x = norm(conv(x, w, 'conv1.0', 2), w, 'conv1.1').relu()
    for stage, (blocks, stride) in enumerate(
        ((1, 1), (2, 1), (3, 2), (4, 2), (3, 1), (3, 2), (1, 1))
    ):
        for block in range(blocks):
            name = f'blocks.{stage}.{block}.conv'
            y = norm(conv(x, w, f'{name}.0'), w, f'{name}.1').relu()
            step = stride if block == 0 else 1
            y = norm(conv(y, w, f'{name}.3', step, y.shape[1]), w, f'{name}.4').relu()
            y = norm(conv(y, w, f'{name}.6'), w, f'{name}.7')
            x = y if block == 0 else x + y
    return linear(norm(conv(x, w, 'conv2.0'), w, 'conv2.1').relu(), w, 'classifier.0')


def shufflenet_v1(w: Weights, x: Tensor) -> Tensor:
    x = norm(conv(x, w, 'conv1'), w, 'bn1').relu()
    for stage, units in ((1, 4), (2, 8), (3, 4)):
        for unit in range(units):
            name = f'layer{stage}.{unit}'
            groups = 1 if (stage, unit) == (1, 0) else 3
            y = norm(conv(x, w, f'{name}.conv1', groups=groups), w, f'{name}.bn1').relu()
            y = shuffle(y, groups)
            stride = 2 if unit == 0 else 1
            y = norm(conv(y, w, f'{name}.conv2', stride, y.shape[1]), w, f'{name}.bn2').relu()
            y = norm(conv(y, w, f'{name}.conv3', groups=3), w, f'{name}.bn3')
            x = torch.cat([y, F.avg_pool2d(x, 3, 2, 1)], 1) if unit == 0 else x + y
            x = x.relu()
    return linear(x, w, 'linear')


def shufflenet_v2(w: Weights, x: Tensor) -> Tensor:
    x = norm(conv(x, w, 'conv1'), w, 'bn1').relu()
    for stage, units in ((1, 4), (2, 8), (3, 4)):
        for unit in range(units):
            name, half = f'layer{stage}.{unit}', x.shape[1] // 2
            first = 1
            old, new, stride = x[:, :half], x[:, half:], 1
            if unit == 0:
                old = norm(conv(x, w, f'{name}.conv1', 2, x.shape[1]), w, f'{name}.bn1')
                old = norm(conv(old, w, f'{name}.conv2'), w, f'{name}.bn2').relu()
                first, new, stride = 3, x, 2
            a, b, c = (f'{name}.{{}}{first + i}' for i in range(3))
            new = norm(conv(new, w, a.format('conv')), w, a.format('bn')).relu()
            new = norm(conv(new, w, b.format('conv'), stride, new.shape[1]), w, b.format('bn'))
            new = norm(conv(new, w, c.format('conv')), w, c.format('bn')).relu()
            x = shuffle(torch.cat([old, new], 1), 2)
    return linear(norm(conv(x, w, 'conv2'), w, 'bn2').relu(), w, 'linear')


def resnet8x4_weights() -> Weights:
    shapes: list[tuple[str, tuple[int, ...]]] = [('conv1', (32, 3, 3, 3)), ('bn1', (32,))]
    for i, (old, new) in enumerate(((32, 64), (64, 128), (128, 256))):
        block = f'layer{i + 1}.0'
        shapes += [(f'{block}.conv1', (new, old, 3, 3)), (f'{block}.bn1', (new,))]
        shapes += [(f'{block}.conv2', (new, new, 3, 3)), (f'{block}.bn2', (new,))]
        shapes += [(f'{block}.downsample.0', (new, old, 1, 1)), (f'{block}.downsample.1', (new,))]
    return _with_linear(make(*shapes), 'fc', 256)


def wrn_10_2_weights() -> Weights:
    shapes: list[tuple[str, tuple[int, ...]]] = [('conv1', (16, 3, 3, 3)), ('bn1', (128,))]
    for i, (old, new) in enumerate(((16, 32), (32, 64), (64, 128))):
        block = f'block{i + 1}.layer.0'
        shapes += [(f'{block}.bn1', (old,)), (f'{block}.conv1', (new, old, 3, 3))]
        shapes += [(f'{block}.bn2', (new,)), (f'{block}.conv2', (new, new, 3, 3))]
        shapes += [(f'{block}.convShortcut', (new, old, 1, 1))]
    return _with_linear(make(*shapes), 'fc', 128)


def vgg13_weights() -> Weights:
    shapes: list[tuple[str, tuple[int, ...]]] = []
    old = 3
    for stage, new in enumerate((64, 128, 256, 512, 512)):
        for layer in (0, 3):
            shapes += [(f'block{stage}.{layer}', (new, old, 3, 3))]
            shapes += [(f'block{stage}.{layer + 1}', (new,))]
            old = new
    weights = make(*shapes)
    for name in [name for name, shape in shapes if len(shape) == 4]:
        weights[f'{name}.bias'] = torch.linspace(-1, 1, len(weights[f'{name}.weight']))
    return _with_linear(weights, 'classifier', 512)


def mobilenet_v2_weights() -> Weights:
    shapes: list[tuple[str, tuple[int, ...]]] = [('conv1.0', (16, 3, 3, 3)), ('conv1.1', (16,))]
    old = 16
    for stage, (expand, new, blocks) in enumerate(
        ((1, 8, 1), (6, 12, 2), (6, 16, 3), (6, 32, 4), (6, 48, 3), (6, 80, 3), (6, 160, 1))
    ):
        for block in range(blocks):
            name, middle = f'blocks.{stage}.{block}.conv', expand * old
            shapes += [(f'{name}.0', (middle, old, 1, 1)), (f'{name}.1', (middle,))]
            shapes += [(f'{name}.3', (middle, 1, 3, 3)), (f'{name}.4', (middle,))]
            shapes += [(f'{name}.6', (new, middle, 1, 1)), (f'{name}.7', (new,))]
            old = new
    shapes += [('conv2.0', (1280, 160, 1, 1)), ('conv2.1', (1280,))]
    return _with_linear(make(*shapes), 'classifier.0', 1280)


def shufflenet_v1_weights() -> Weights:
    shapes: list[tuple[str, tuple[int, ...]]] = [('conv1', (24, 3, 1, 1)), ('bn1', (24,))]
    old = 24
    for stage, (out, units) in enumerate(((240, 4), (480, 8), (960, 4))):
        for unit in range(units):
            new = out - old if unit == 0 else out
            name, middle = f'layer{stage + 1}.{unit}', new // 4
            first = old if (stage, unit) == (0, 0) else old // 3
            shapes += [(f'{name}.conv1', (middle, first, 1, 1)), (f'{name}.bn1', (middle,))]
            shapes += [(f'{name}.conv2', (middle, 1, 3, 3)), (f'{name}.bn2', (middle,))]
            shapes += [(f'{name}.conv3', (new, middle // 3, 1, 1)), (f'{name}.bn3', (new,))]
            old = out
    return _with_linear(make(*shapes), 'linear', 960)


def shufflenet_v2_weights() -> Weights:
    shapes: list[tuple[str, tuple[int, ...]]] = [('conv1', (24, 3, 1, 1)), ('bn1', (24,))]
    old = 24
    for stage, (out, units) in enumerate(((116, 4), (232, 8), (464, 4))):
        half = out // 2
        for unit in range(units):
            kernels = [(half, half, 1, 1), (half, 1, 3, 3), (half, half, 1, 1)]
            if unit == 0:
                kernels = [(old, 1, 3, 3), (half, old, 1, 1), (half, old, 1, 1), *kernels[1:]]
            for i, kernel in enumerate(kernels):
                name = f'layer{stage + 1}.{unit}'
                shapes += [(f'{name}.conv{i + 1}', kernel), (f'{name}.bn{i + 1}', kernel[:1])]
        old = out
    shapes += [('conv2', (1024, 464, 1, 1)), ('bn2', (1024,))]
    return _with_linear(make(*shapes), 'linear', 1024)


def _with_linear(weights: Weights, name: str, channels: int) -> Weights:
    generator = torch.Generator().manual_seed(1)
    weights[f'{name}.weight'] = torch.randn(100, channels, generator=generator)
    weights[f'{name}.bias'] = torch.randn(100, generator=generator)
    return weights
