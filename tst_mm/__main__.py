"""Run a script with tst_mm imported first: ``python -m tst_mm SCRIPT [ARGUMENTS]``.

A config's bases are read before its ``custom_imports`` takes effect. A config of another project
whose ``_base_`` begins with ``tst_mm::`` therefore needs this in front of another library's
``train.py``; tst_mm's own tools do not.
"""

import runpy
import sys
from pathlib import Path

USAGE = 'usage: python -m tst_mm SCRIPT [ARGUMENTS]'


def main() -> None:
    """Run the script as ``python SCRIPT`` would."""
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_file():
        sys.exit(f'{USAGE}; no script {sys.argv[1]!r}' if sys.argv[1:] else USAGE)
    script = sys.argv[1]
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(script).resolve().parent)
    runpy.run_path(script, run_name='__main__')


if __name__ == '__main__':
    main()
