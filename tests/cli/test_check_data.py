"""``tst check data``: what is found, and what is wrong, in every layout."""

import json

import pytest
from PIL import Image
from test_datasets.test_layouts import trees

from tst_mm.cli.app import main


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Check a folder; returns the exit code and all that is printed."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        try:
            code = main(['check', 'data', *map(str, arguments)])
        except SystemExit as exit:
            code = exit.code
        out, err = capsys.readouterr()
        return code, out + err

    return call


@pytest.mark.parametrize(
    ('layout', 'words'),
    [
        ('images_by_class', ['images by class, for mmpretrain', '3 classes: apple, pear, plum']),
        ('coco', ['COCO, for mmdet', 'classes cat, dog']),
        ('cityscapes', ['Cityscapes, for mmseg', 'classes [0, 13], 5.0% of the pixels ignored']),
        ('two_folders', ['images and label maps, for mmseg', 'train: 6 images']),
        ('voc', ['Pascal VOC, boxes, for mmdet', '2 classes: bush, tree']),
    ],
)
def test_sound_data(check, tmp_path, layout, words):
    root = getattr(trees, layout)(tmp_path / 'data')
    code, out = check(root)
    assert code == 0 and out.endswith('complete\n') and 'FAULT' not in out
    assert all(word in out for word in words), out
    with Image.open(tmp_path / 'data_check.png') as picture:
        assert picture.width > 800 and len(set(picture.convert('RGB').getdata())) > 100


def test_the_other_half_of_voc_and_no_picture(check, tmp_path):
    root = trees.voc(tmp_path / 'VOCdevkit' / 'VOC2012')
    code, out = check(root.parent, '--library', 'mmseg', '--no-picture')
    assert code == 0 and 'Pascal VOC, label maps, for mmseg' in out
    assert not list(tmp_path.glob('*.png'))


def test_a_json_file_stands_for_its_data_set(check, tmp_path):
    root = trees.coco(tmp_path / 'data')
    assert check(root / 'annotations/instances_train.json')[0] == 0


def test_a_folder_without_splits(check, tmp_path):
    code, out = check(trees.images_by_class(tmp_path / 'data', split=False))
    assert code == 0 and 'a part of each class is held out for validation' in out


def no_picture_in_a_class(root):
    for path in (root / 'train/pear').iterdir():
        path.unlink()


def no_validation(root):
    (root / 'val').rename(root / 'other')


def damaged(root):
    (root / 'train/plum/0.png').write_bytes(b'no picture')


def another_class(root):
    (root / 'val/plum').rename(root / 'val/prune')


def unknown_category(root):
    path = root / 'annotations/instances_train.json'
    content = json.loads(path.read_text())
    content['annotations'][0]['category_id'] = 99
    path.write_text(json.dumps(content))


def no_file_of_annotations(root):
    (root / 'annotations/instances_val.json').unlink()


def cut_json(root):
    (root / 'annotations/instances_train.json').write_text('{"images": [')


def missing_image(root):
    (root / 'train/3.jpg').unlink()


def maps_of_another_size(root):
    trees.save(next((root / 'gtFine/train/town').iterdir()), trees.label_map((0, 0, 9, 9), 1)[:20])


def class_19(root):
    trees.save(next((root / 'gtFine/val/town').iterdir()), trees.label_map((0, 4, 9, 9), 19))


def no_maps(root):
    for path in (root / 'gtFine/train/town').iterdir():
        path.unlink()


def nameless(root):
    (root / 'classes.txt').unlink()


def too_few_names(root):
    (root / 'classes.txt').write_text('ground\ncrop\n')


def broken_xml(root):
    (root / 'Annotations/0001.xml').write_text('<annotation>')


def lost_xml(root):
    (root / 'Annotations/0001.xml').unlink()


def lost_photograph(root):
    (root / 'JPEGImages/0001.jpg').unlink()


def lost_list(root):
    (root / 'ImageSets/Main/val.txt').unlink()


@pytest.mark.faults
@pytest.mark.parametrize(
    ('layout', 'damage', 'fault'),
    [
        ('images_by_class', no_picture_in_a_class, '1 classes without pictures in train, first: p'),
        ('images_by_class', no_validation, 'has train/ but no val/'),
        ('images_by_class', damaged, '1 files in train that are no images, first: plum/0.png'),
        ('images_by_class', another_class, 'classes in val that train has not, first: prune'),
        ('coco', unknown_category, 'annotations of unknown classes in instances_train.json'),
        ('coco', no_file_of_annotations, 'no annotations/instances_val*.json in'),
        ('coco', cut_json, 'instances_train.json is not a COCO file'),
        ('coco', missing_image, 'images of instances_train.json missing in train/, first: 3.jpg'),
        ('cityscapes', maps_of_another_size, 'label maps in train of another size, first: town/'),
        ('cityscapes', class_19, 'other values than 0 … 18 and 255, first: town/'),
        ('cityscapes', no_maps, 'no *_gtFine_labelTrainIds.png in'),
        ('two_folders', nameless, 'classes.txt, which names a class a line'),
        ('two_folders', too_few_names, 'other values than 0 … 1 and 255'),
        ('voc', broken_xml, 'files of train that cannot be read, first: 0001: '),
        ('voc', lost_xml, 'images of train without Annotations/*.xml, first: 0001'),
        ('voc', lost_photograph, 'images of train missing in JPEGImages/, first: 0001'),
        ('voc', lost_list, 'no names in'),
    ],
)
def test_broken_data(check, tmp_path, layout, damage, fault):
    root = getattr(trees, layout)(tmp_path / 'data')
    damage(root)
    code, out = check(root)
    assert code == 1 and 'Traceback' not in out
    faults = [line for line in out.splitlines() if line.startswith('FAULT')]
    assert any(fault in line for line in faults), out
    assert out.endswith('not complete\n')


@pytest.mark.faults
def test_folders_of_no_layout(check, tmp_path):
    (tmp_path / 'data' / 'notes').mkdir(parents=True)
    code, out = check(tmp_path / 'data')
    assert code == 1 and 'has no known layout; it holds notes; allowed: images by class' in out
    code, out = check(trees.coco(tmp_path / 'coco'), '--library', 'mmseg')
    assert code == 1 and 'coco is COCO, for mmdet; the config is of mmseg' in out
