"""``tst demo`` as a script: see ``tst_mm/cli/demo.py``.

python tools/demo.py --task classification --seeds 3
"""

import sys

from tst_mm.cli.app import run_command

if __name__ == '__main__':
    sys.exit(run_command('demo'))
