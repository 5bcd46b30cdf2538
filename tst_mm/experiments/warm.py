"""A script in an interpreter that was started before it was known what to run.

``python -m tst_mm.experiments.warm [NAME ...]`` imports modules, and calls functions that are named
as ``module:function``. It waits for one line on its standard input, a JSON list with a log file,
the script and its arguments, and runs the script with its output appended to the log.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import sys
from pkgutil import resolve_name


def main() -> None:
    """Import, wait, run; without a line, which is when the parent has ended, do nothing."""
    for name in sys.argv[1:]:
        # Whatever is wrong with it, the script says so where it can be read.
        with contextlib.suppress(Exception):
            wanted = resolve_name(name)
            if callable(wanted):
                wanted()
    line = sys.stdin.readline()
    if not line:
        return
    log, *sys.argv = json.loads(line)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    runpy.run_path(sys.argv[0], run_name='__main__')


if __name__ == '__main__':
    main()
