"""Weights of other code bases, renamed for the classifiers of tst_mm and mmpretrain."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from tst_mm.utils import closest

#: The keys under which a checkpoint may keep its weights.
_PLACES = ('state_dict', 'model')
_CONV_BN = {'0': 'conv', '1': 'bn'}


def convert_weights(checkpoint: Mapping[str, Any], model: nn.Module) -> dict[str, Tensor]:
    """Rename the weights of a checkpoint to those of a classifier, and check that all fit.

    Two layouts are known: that of the CRD benchmark (RepDistiller, mdistiller) for every CIFAR
    backbone of ``tst_mm``, and that of torchvision for ResNet and MobileNetV2.

    Args:
        checkpoint: The weights by name, or a dict that has them as ``'state_dict'`` or
            ``'model'``.
        model: The mmpretrain ``ImageClassifier`` with one of these backbones.

    Returns:
        The weights by the names that ``model`` has for them.

    Raises:
        ValueError: The backbone is another one, there are no weights, or they do not fit
            ``model``.
    """
    kind = type(getattr(model, 'backbone', model)).__name__
    if kind not in _RENAME:
        raise ValueError(f'no layout is known for the backbone {kind}; {closest(kind, _RENAME)}')
    place: Any = next((checkpoint[key] for key in _PLACES if key in checkpoint), checkpoint)
    if not isinstance(place, Mapping) or not all(isinstance(v, Tensor) for v in place.values()):
        raise ValueError(
            f'the checkpoint has no weights, but {", ".join(map(str, list(checkpoint)[:5]))}; '
            f'allowed: weights by name, or a dict with {" or ".join(map(repr, _PLACES))}'
        )
    names = {key.removeprefix('module.'): value for key, value in place.items()}
    renamed = {_RENAME[kind](key, model.backbone): value for key, value in names.items()}
    _check(renamed, model)
    return renamed


def _check(weights: Mapping[str, Tensor], model: nn.Module) -> None:
    """Raise for the first weight that is missing, not expected or of another shape."""
    expected = model.state_dict()
    backbone = type(model.backbone).__name__
    for name in weights:
        if name not in expected:
            raise ValueError(f'the weights have {name!r}, which {backbone} has not: another model?')
    for name, tensor in expected.items():
        if name not in weights:
            if name.endswith('num_batches_tracked'):  # files of torch before 0.4.1 do not have it
                continue
            raise ValueError(f'the weights lack {name!r} of {backbone}: another model?')
        if weights[name].shape != tensor.shape:
            raise ValueError(
                f'{name} is {tuple(weights[name].shape)} in the weights, '
                f'{tuple(tensor.shape)} in the model: another depth, width or number of classes?'
            )


def _resnet(name: str, backbone: nn.Module) -> str:
    return f'head.{name}' if name.startswith('fc.') else f'backbone.{name}'


def _wide_resnet(name: str, backbone: nn.Module) -> str:
    name = re.sub(r'^block(\d)\.layer\.', r'layer\1.', name)
    return _resnet(name.replace('convShortcut', 'shortcut'), backbone)


def _vgg(name: str, backbone: Any) -> str:
    """Rename ``block2.3.weight``: in stage 2 the fourth of conv, bn, relu, conv, ..."""
    found = re.match(r'block(\d)\.(\d+)\.', name)
    if found is None:
        return name.replace('classifier.', 'head.fc.', 1)
    layer, part = divmod(int(found[2]), 3)
    first = backbone.range_sub_modules[int(found[1])][0]
    return f'backbone.features.{first + layer}.{_CONV_BN[str(part)]}.{name[found.end() :]}'


def _half_mobilenet_v2(name: str, backbone: nn.Module) -> str:
    """Rename ``blocks.2.1.conv.4.weight``: in stage 2, block 1, the fifth of conv, bn, relu, ..."""
    found = re.match(r'blocks\.(\d)\.(\d)\.conv\.(\d)\.', name)
    if found is None:
        name = re.sub(r'^classifier\.0\.', 'head.fc.', name)
        return re.sub(
            r'^(conv[12])\.([01])\.', lambda m: f'backbone.{m[1]}.{_CONV_BN[m[2]]}.', name
        )
    stage, block = int(found[1]), found[2]
    layer, part = divmod(int(found[3]), 3)
    place = f'{block}.conv.{layer}'
    if stage == 0:  # its 1x1 convolution stands before the block, see CIFARMobileNetV2
        place = '0' if layer == 0 else f'1.conv.{layer - 1}'
    rest = name[found.end() :]
    return f'backbone.layer{stage + 1}.{place}.{_CONV_BN[str(part)]}.{rest}'


def _shufflenet_v1(name: str, backbone: nn.Module) -> str:
    found = re.match(r'(layer\d\.\d)\.(conv|bn)(\d)\.', name)
    if found is not None:
        part = ('compress', 'depthwise', 'expand')[int(found[3]) - 1]
        return f'backbone.{found[1]}.{part}.{found[2]}.{name[found.end() :]}'
    return _stem_and_head(name)


def _shufflenet_v2(name: str, backbone: nn.Module) -> str:
    found = re.match(r'layer(\d)\.(\d)\.(conv|bn)(\d)\.', name)
    if found is not None:
        branches = ['branch2.0', 'branch2.1', 'branch2.2']
        if found[2] == '0':  # a stage's first unit has a second branch
            branches = ['branch1.0', 'branch1.1', *branches]
        place = f'layers.{int(found[1]) - 1}.{found[2]}.{branches[int(found[4]) - 1]}'
        return f'backbone.{place}.{found[3]}.{name[found.end() :]}'
    return re.sub(r'^(conv|bn)2\.', r'backbone.layers.3.\1.', _stem_and_head(name))


def _stem_and_head(name: str) -> str:
    name = re.sub(r'^linear\.', 'head.fc.', name)
    return re.sub(r'^(conv|bn)1\.', r'backbone.conv1.\1.', name)


def _torchvision_mobilenet_v2(name: str, backbone: Any) -> str:
    """Rename ``features.3.conv.1.0.weight``: in the third block the second convolution."""
    found = re.match(r'features\.(\d+)\.', name)
    if found is None:
        return name.replace('classifier.1.', 'head.fc.', 1)
    index, rest = int(found[1]), name[found.end() :]
    blocks = [(i, j) for i, n in enumerate(_BLOCKS_V2) for j in range(n)]
    if index in (0, len(blocks) + 1):
        place = 'conv1' if index == 0 else 'conv2'
    else:
        stage, block = blocks[index - 1]
        # Pairs of conv and bn are conv.0.0, conv.0.1, ..., but the last two are conv.2 and conv.3.
        layer, rest = rest.removeprefix('conv.').split('.', 1)
        last = 1 if stage == 0 else 2
        if int(layer) >= last:
            layer, rest = str(last), f'{int(layer) - last}.{rest}'
        place = f'layer{stage + 1}.{block}.conv.{layer}'
    part, rest = rest.split('.', 1)
    return f'backbone.{place}.{_CONV_BN[part]}.{rest}'


_BLOCKS_V2 = (1, 2, 3, 4, 3, 3, 1)
#: The function that gives a weight its new name, by backbone.
_RENAME: dict[str, Callable[[str, Any], str]] = {
    'ResNet': _resnet,
    'MobileNetV2': _torchvision_mobilenet_v2,
    'CIFARResNet': _resnet,
    'CIFARWideResNet': _wide_resnet,
    'CIFARVGG': _vgg,
    'CIFARMobileNetV2': _half_mobilenet_v2,
    'CIFARShuffleNetV1': _shufflenet_v1,
    'CIFARShuffleNetV2': _shufflenet_v2,
}
