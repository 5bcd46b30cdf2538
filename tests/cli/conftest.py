"""Running the tools."""

import importlib
import os
import runpy
import sys
import traceback

import pytest


@pytest.fixture
def load():
    """Import a module of the set-up when a test asks for it."""
    return importlib.import_module


@pytest.fixture
def tool(root, monkeypatch, capfd):
    """Run a tool in this process; returns its exit code, stdout and stderr.

    As for the interpreter, a message instead of an exit code goes to stderr and means 1.
    """

    def run(name, *arguments):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        code = 0
        try:
            runpy.run_path(str(root / 'tools' / name), run_name='__main__')
        except SystemExit as exit:
            code = exit.code
            if isinstance(code, str):
                print(code, file=sys.stderr)
                code = 1
        return code or 0, *capfd.readouterr()

    return run


@pytest.fixture
def process(root, tmp_path):
    """Run a tool in a process of its own, forked with all imports done.

    Returns its exit code, stdout and stderr, as a shell sees them.
    """

    def run(name, *arguments):
        paths = [tmp_path / f'{name}.{stream}' for stream in ('out', 'err')]
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for number, path in enumerate(paths, 1):
                    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
                sys.stdout, sys.stderr = (os.fdopen(n, 'w', closefd=False) for n in (1, 2))
                sys.argv = [name, *map(str, arguments)]
                runpy.run_path(str(root / 'tools' / name), run_name='__main__')
                code = 0
            except SystemExit as exit:
                code = exit.code or 0
                if isinstance(code, str):
                    print(code, file=sys.stderr)
                    code = 1
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status, *(path.read_text() for path in paths)

    return run
