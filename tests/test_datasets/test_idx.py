"""The idx format."""

import numpy as np
import pytest

from tst_mm.datasets.idx import read_idx, write_idx


@pytest.mark.parametrize('name', ['plain', 'packed.gz'])
def test_round_trip(tmp_path, name):
    array = np.arange(2 * 3 * 300, dtype=np.uint8).reshape(2, 3, 300)
    write_idx(tmp_path / name, array)
    assert (read_idx(tmp_path / name) == array).all()
    content = (tmp_path / name).read_bytes()
    write_idx(tmp_path / name, array)
    assert (tmp_path / name).read_bytes() == content


def test_mmpretrain_reads_what_is_written(tmp_path):
    from mmpretrain.datasets.mnist import read_image_file

    array = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    write_idx(tmp_path / 'images', array)
    assert (read_image_file(str(tmp_path / 'images')).numpy() == array).all()


def test_damage_is_named(tmp_path):
    write_idx(tmp_path / 'cut', np.zeros((2, 5), np.uint8))
    (tmp_path / 'cut').write_bytes((tmp_path / 'cut').read_bytes()[:-1])
    with pytest.raises(ValueError, match=r'announces shape \(2, 5\), 10 bytes, and 9 bytes follow'):
        read_idx(tmp_path / 'cut')
    (tmp_path / 'other').write_bytes(b'PK')
    with pytest.raises(ValueError, match='not an idx file'):
        read_idx(tmp_path / 'other')
    with pytest.raises(ValueError, match='uint8, got float64'):
        write_idx(tmp_path / 'no', np.zeros(2))
