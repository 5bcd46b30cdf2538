"""``tst export policy`` as a script: see ``tst_mm/cli/export_policy.py``.

python tools/export_policy.py work_dirs/tst/iter_1500.pth --out policy.json
"""

import sys

from tst_mm.cli.app import run_command

if __name__ == '__main__':
    sys.exit(run_command('export policy'))
