"""Getting files."""

import hashlib
import tarfile
import zipfile

import pytest

from preparation.errors import PreparationError
from preparation.fetch import download, package_files, unpacked


@pytest.fixture
def published(tmp_path):
    """A file at an address, and its checksum."""
    content = b'x' * 3_000_000
    (tmp_path / 'published').write_bytes(content)
    return (tmp_path / 'published').as_uri(), hashlib.md5(content).hexdigest()


def test_download(published, tmp_path):
    download(published[0], tmp_path / 'got', published[1])
    assert (tmp_path / 'got').stat().st_size == 3_000_000


@pytest.mark.faults
def test_download_keeps_nothing_that_is_damaged(published, tmp_path):
    with pytest.raises(PreparationError, match=f'got is damaged: MD5 {published[1]}, expected 0'):
        download(published[0], tmp_path / 'got', '0' * 32)
    assert not (tmp_path / 'got').exists()


@pytest.mark.faults
@pytest.mark.parametrize('address', ['file:///no/such/file', 'http://127.0.0.1:1/file'])
def test_download_from_nowhere(address, tmp_path):
    with pytest.raises(PreparationError, match=f'{address} cannot be downloaded: .*'):
        download(address, tmp_path / 'got', '0' * 32)
    assert not (tmp_path / 'got').exists()


def test_folders_are_used_where_they_are(tmp_path):
    with unpacked(tmp_path) as folder:
        assert folder == tmp_path


@pytest.mark.parametrize('kind', ['tar.xz', 'zip'])
def test_archives_are_unpacked_for_the_time_being(tmp_path, kind):
    (tmp_path / 'file').write_text('content')
    archive = tmp_path / f'archive.{kind}'
    if kind == 'zip':
        with zipfile.ZipFile(archive, 'w') as file:
            file.write(tmp_path / 'file', 'inside/file')
    else:
        with tarfile.open(archive, 'w:xz') as file:
            file.add(tmp_path / 'file', 'inside/file')
    with unpacked(archive) as folder:
        assert (folder / 'inside/file').read_text() == 'content'
    assert not folder.exists()


@pytest.mark.faults
def test_bad_sources(tmp_path):
    with pytest.raises(PreparationError, match='nowhere does not exist'), unpacked('nowhere'):
        pass
    (tmp_path / 'text').write_text('no archive')
    with (
        pytest.raises(PreparationError, match='text cannot be unpacked'),
        unpacked(tmp_path / 'text'),
    ):
        pass


@pytest.mark.parametrize('source', ['.', 'Some_Thing-1.0-py3-none-any.whl', 'content'])
def test_files_of_a_package(tmp_path, source):
    """From the folder of the wheel, from the wheel, from its content."""
    (tmp_path / 'content/thing').mkdir(parents=True)
    (tmp_path / 'content/thing/data').write_text('data')
    with zipfile.ZipFile(tmp_path / 'Some_Thing-1.0-py3-none-any.whl', 'w') as file:
        file.write(tmp_path / 'content/thing/data', 'thing/data')
    with package_files('some-thing==1.0', ['thing/data'], str(tmp_path / source)) as folder:
        assert (folder / 'thing/data').read_text() == 'data'
    with (
        pytest.raises(PreparationError, match='lacks thing/more, a file of some-thing==1.0'),
        package_files('some-thing==1.0', ['thing/more'], str(tmp_path / source)),
    ):
        pass


@pytest.mark.faults
def test_package_that_pip_cannot_get(monkeypatch):
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    with (
        pytest.raises(PreparationError, match='give its path as --source'),
        package_files('tst-mm-no-such-package==1.0', ['file'], None),
    ):
        pass
