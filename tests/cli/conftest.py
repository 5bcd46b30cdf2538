"""Running the tools."""

import runpy
import sys

import pytest


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
