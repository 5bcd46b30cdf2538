"""``tst test`` as a script, for launchers: see ``tst_mm/cli/test.py``.

python tools/test.py configs/demo/classification_plain.py work_dirs/tst/student_iter_1500.pth
"""

import sys

from tst_mm.cli.app import run_command

if __name__ == '__main__':
    sys.exit(run_command('test'))
