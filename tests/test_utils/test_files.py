"""Files are complete or absent."""

import json

import pytest

from tst_mm.utils.files import write_bytes, write_json


def test_write_and_replace(tmp_path):
    path = tmp_path / 'a.json'
    write_json(path, {'a': 1})
    write_json(path, {'a': [1.5, None]})
    assert json.loads(path.read_text()) == {'a': [1.5, None]}
    assert [file.name for file in tmp_path.iterdir()] == ['a.json']


@pytest.mark.faults
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'a'
    write_bytes(path, b'old')

    def full(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(OSError, match='No space left'):
        write_bytes(path, b'new')
    assert path.read_bytes() == b'old'
    assert [file.name for file in tmp_path.iterdir()] == ['a']
