"""Configs of the libraries, changed to data of one's own."""

import pytest
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import DATASETS, MODELS, init_default_scope
from test_datasets.test_layouts import trees

from tst_mm.apis.config import plain_config, published_weights, write_config
from tst_mm.apis.own_data import count_classes, own_classes, set_classes, use_data
from tst_mm.datasets.layouts import find_layout

#: Configs that say the number of classes, or read their data, each in a way of its own.
CONFIGS = {
    'mmpretrain::resnet/resnet18_8xb32_in1k.py': 'images_by_class',
    'mmpretrain::resnet/resnet18_8xb16_cifar10.py': 'images_by_class',
    'mmpretrain::deit/deit-tiny_4xb256_in1k.py': 'images_by_class',
    'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py': 'coco',
    'mmdet::cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py': 'coco',
    'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py': 'coco',
    'mmdet::pascal_voc/faster-rcnn_r50_fpn_1x_voc0712.py': 'coco',
    'mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py': 'voc',
    'mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py': 'two_folders',
    'mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py': 'two_folders',
}


def numbers(node, found):
    if isinstance(node, dict):
        if isinstance(node.get('num_classes'), int):
            found.append(node['num_classes'])
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            numbers(child, found)
    return found


def without_scope(node):
    """MMEngine gives what is inherited from a library the scope of that library."""
    if isinstance(node, dict):
        return {key: without_scope(value) for key, value in node.items() if key != '_scope_'}
    if isinstance(node, (list, tuple)):
        return [without_scope(child) for child in node]
    return node


@pytest.mark.parametrize('address', CONFIGS)
def test_a_config_reads_the_data_and_counts_its_classes(address, tmp_path):
    cfg = plain_config('student', address)
    layout = find_layout(getattr(trees, CONFIGS[address])(tmp_path / 'data'))
    use_data(cfg, layout, tmp_path / 'lists')
    count = len(layout.classes)
    heads = {key: part for key, part in cfg.model.items() if key != 'backbone'}
    assert numbers(heads, []) and set(numbers(heads, [])) == {count}
    init_default_scope(cfg.default_scope)
    for split in ('train', 'val'):
        data = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
        each = 3 if layout.library == 'mmpretrain' else 1
        assert len(data) in (each * trees.SPLITS[split], 3 * trees.SPLITS[split])  # VOC's repeats
        sample = data[0]
        assert sample['inputs'].ndim == 3
    # As a file it is the same, and what it inherits is not repeated.
    write_config(tmp_path / 'mine.py', cfg, address, 'A comment.')
    text = (tmp_path / 'mine.py').read_text()
    assert text.startswith(f"# A comment.\n_base_ = ['{address}']\n")
    assert 'optim_wrapper' not in text and 'train_cfg = ' not in text
    written = Config.fromfile(tmp_path / 'mine.py').to_dict()
    assert without_scope(written) == without_scope(cfg.to_dict())


@pytest.mark.parametrize(
    'address',
    [
        'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py',
        'mmdet::cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py',
        'mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco.py',
        'mmdet::detr/detr_r50_8xb2-150e_coco.py',
        'mmseg::mask2former/mask2former_r50_8xb2-90k_cityscapes-512x1024.py',
    ],
)
def test_the_model_builds_with_the_classes(address):
    cfg = get_config(address)
    before = count_classes(cfg.model)
    set_classes(cfg, before - 7)
    assert count_classes(cfg.model) == before - 7
    init_default_scope(cfg.default_scope)
    MODELS.build(cfg.model)


def test_numbers_of_classes_that_mean_something_else_stay():
    model = dict(rpn_head=dict(num_classes=1), roi_head=dict(num_classes=80), backbone={})
    cfg = Config(dict(model=model))
    set_classes(cfg, 5)
    assert cfg.model.rpn_head.num_classes == 1 and cfg.model.roi_head.num_classes == 5
    with pytest.raises(ValueError, match='has none of num_classes'):
        set_classes(Config(dict(model=dict(head=dict(type='A')))), 5)


def test_panoptic_models_are_refused():
    cfg = get_config('mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco-panoptic.py')
    with pytest.raises(ValueError, match='a panoptic model'):
        set_classes(cfg, 5)


def test_the_classes_of_a_config_are_those_of_its_data():
    """Published weights serve data of the same classes, not of the same number of them."""
    names = own_classes(get_config('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py'))
    assert len(names) == 80 and names[0] == 'person'
    address = 'mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py'
    assert own_classes(get_config(address))[13] == 'car'
    repeated = get_config('mmdet::pascal_voc/faster-rcnn_r50_fpn_1x_voc0712.py')
    assert 'sofa' in own_classes(repeated)


def test_published_weights():
    address = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
    assert published_weights(address).endswith('.pth')
    assert published_weights('mine.py') is None
    assert published_weights('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py') is not None
