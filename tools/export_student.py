"""``tst export student`` as a script: see ``tst_mm/cli/export_student.py``.

python tools/export_student.py work_dirs/tst/iter_1500.pth
"""

import sys

from tst_mm.cli.app import run_command

if __name__ == '__main__':
    sys.exit(run_command('export student'))
