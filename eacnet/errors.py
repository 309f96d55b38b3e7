"""Errors for people: one line that says what is wrong, where, and what to do."""

import errno
import signal
import sys
from collections.abc import Callable
from types import FrameType


class InputError(Exception):
    """Something outside the code is wrong: a parameter, a file, a dataset.

    The message is one line and is all that the user sees; the process ends with exit code 1.
    """


def exit_on_error(main: Callable[[], None]) -> None:
    """Run `main`; turn InputError, Ctrl-C, SIGTERM and a full disk into one line and exit code 1.

    SIGTERM is raised as KeyboardInterrupt, so that half-written files are cleaned up on both.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; nothing half-written was kept, run the same command again")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" while writing {error.filename}" if error.filename else ""
        sys.exit(f"error: disk full{where}; free some space and run the same command again")


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
