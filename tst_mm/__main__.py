"""The command ``tst`` as a module, or a script with tst_mm imported first.

``python -m tst_mm COMMAND [ARGUMENTS]`` is ``tst COMMAND [ARGUMENTS]``.

``python -m tst_mm SCRIPT [ARGUMENTS]`` runs a script. A config's bases are read before its
``custom_imports`` takes effect: a config of another project whose ``_base_`` begins with
``tst_mm::`` therefore needs this in front of another library's ``train.py``; tst_mm's own commands
do not.
"""

import os
import sys
from pathlib import Path

#: The script finds its neighbours by PYTHONPATH, as it would by being run itself.
_RUN = (
    'import runpy, sys, tst_mm; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name="__main__")'
)


def main() -> None:
    """Run the script as ``python SCRIPT`` would, or the command."""
    name = sys.argv[1] if sys.argv[1:] else ''
    if name.endswith('.py') and not Path(name).is_file():
        sys.exit(f'usage: python -m tst_mm SCRIPT [ARGUMENTS]; no script {name!r}')
    if not Path(name).is_file():
        from tst_mm.cli.app import main as run_command

        sys.exit(run_command(prog='python -m tst_mm'))
    folders = [str(Path(name).resolve().parent), os.environ.get('PYTHONPATH')]
    path = os.pathsep.join(folder for folder in folders if folder)
    command = [sys.executable, '-c', _RUN, *sys.argv[1:]]
    os.execve(sys.executable, command, {**os.environ, 'PYTHONPATH': path})


if __name__ == '__main__':
    main()
