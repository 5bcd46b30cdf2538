"""Run a script with tst_mm imported first: ``python -m tst_mm SCRIPT [ARGUMENTS]``.

A config's bases are read before its ``custom_imports`` takes effect. A config of another project
whose ``_base_`` begins with ``tst_mm::`` therefore needs this in front of another library's
``train.py``; tst_mm's own tools do not.
"""

import os
import sys
from pathlib import Path

USAGE = 'usage: python -m tst_mm SCRIPT [ARGUMENTS]'
#: The script finds its neighbours by PYTHONPATH, as it would by being run itself.
_RUN = (
    'import runpy, sys, tst_mm; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name="__main__")'
)


def main() -> None:
    """Run the script as ``python SCRIPT`` would."""
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_file():
        sys.exit(f'{USAGE}; no script {sys.argv[1]!r}' if sys.argv[1:] else USAGE)
    folders = [str(Path(sys.argv[1]).resolve().parent), os.environ.get('PYTHONPATH')]
    path = os.pathsep.join(folder for folder in folders if folder)
    command = [sys.executable, '-c', _RUN, *sys.argv[1:]]
    os.execve(sys.executable, command, {**os.environ, 'PYTHONPATH': path})


if __name__ == '__main__':
    main()
