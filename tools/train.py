"""``tst train`` as a script, for launchers: see ``tst_mm/cli/train.py``.

python tools/train.py configs/demo/classification_tst.py --work-dir work_dirs/tst
"""

import sys

from tst_mm.cli.app import run_command

if __name__ == '__main__':
    sys.exit(run_command('train'))
