"""``tst report`` as a script: see ``tst_mm/cli/report.py``.

python tools/report.py work_dirs/tst
"""

import sys

from tst_mm.cli.app import run_command

if __name__ == '__main__':
    sys.exit(run_command('report'))
