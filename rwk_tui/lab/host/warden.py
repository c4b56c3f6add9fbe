"""A small process that outlives ours only to end what we started.

It is told about process groups on its standard input, `+PID` when one starts and `-PID` when one has ended. When the
input ends without all of them having ended, we are gone, however that came about, and it kills what is left. It runs
as a plain file with nothing but the standard library, so that it is up in some milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Listen until the input ends, then kill."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+":
            groups.add(pid)
        else:
            groups.discard(pid)
    for pid in groups:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
