"""SIGTERM, SIGHUP and Ctrl-C end a measurement in order: whatever it has started is stopped."""

import contextlib
import signal
import sys

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_held, _came = False, None


def install():
    """From now on the first of the signals raises SystemExit; others do not disturb what stops then."""
    for number in SIGNALS:
        signal.signal(number, _on_signal)


@contextlib.contextmanager
def held():
    """A signal takes effect behind this: in here a process is started, and written down."""
    global _held
    _held = True
    try:
        yield
    finally:
        _held = False
        if _came:
            sys.exit(128 + _came)


def _on_signal(number, _frame):
    global _came
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    _came = number
    if not _held:
        sys.exit(128 + number)
