"""What the command line tools share: how an error reaches the user."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.logging import MMLogger

#: The environment variable that shows the traceback of an error, whatever its value is.
TRACEBACK = 'TST_MM_TRACEBACK'
#: Errors whose message says enough without the name of their class.
_PLAIN = (ValueError, KeyError, TypeError, OSError)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the program with one line on stderr and exit code 1 when something goes wrong.

    Ctrl-C ends it with a line and exit code 130.

    The traceback goes to the log file of the run, if there is one already. In a distributed run
    the line names the rank.
    """
    try:
        yield
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        log = _log_traceback()
        where = f'traceback in {log}' if log else f'{TRACEBACK}=1 shows the traceback'
        if 'RANK' in os.environ:  # when several processes end, one is the cause
            where = f'rank {os.environ["RANK"]}; {where}'
        print(f'error: {_message(error)} ({where})', file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print('interrupted: --resume goes on from the last checkpoint, if any', file=sys.stderr)
        sys.exit(130)


def _message(error: Exception) -> str:
    # The str() of a KeyError is the repr of its message.
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    if 'Original Traceback' in text:  # a loader worker's traceback arrives as the message
        text = text.rstrip().splitlines()[-1].partition(': ')[2]
    text = ' '.join(text.split())
    return text if text and isinstance(error, _PLAIN) else f'{type(error).__name__}: {text}'


def _log_traceback() -> str | None:
    """Append the traceback to the log file of the run; return its path, None without one."""
    for handler in MMLogger.get_current_instance().handlers:
        # The folder of a dry run is gone by now.
        if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).exists():
            text = traceback.format_exc()
            handler.emit(logging.LogRecord('tst_mm', logging.ERROR, '', 0, text, None, None))
            return handler.baseFilename
    return None
