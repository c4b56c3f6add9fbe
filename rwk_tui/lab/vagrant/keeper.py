"""A small process between us and Vagrant that ends Vagrant when we want it to, or are gone ourselves.

Run as `python -I -S keeper.py GRACE COMMAND ARGS...` with a pipe as its input. As long as the pipe is open it only
waits for the command, whose exit code is its own. When the pipe ends, which our death does too, the command with all
its children is interrupted as by Ctrl-C: Vagrant then tidies up and gives back its locks. What has not ended after
GRACE seconds is terminated, and in the end killed. It has nothing but the standard library, so that it is quick.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

_LAST_GRACE = 5.0
_LOOK_EVERY = 0.05


def main(grace: float, command: list[str]) -> int:
    """Exit code of the command, 128 + signal where a signal ended it; 126 or 127, with a line, if it can't be run."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which the command would inherit
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"can't run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126
    told = threading.Event()
    ending = threading.Thread(target=_end_when_told, args=(process.pid, grace, told), daemon=True)
    ending.start()
    code = process.wait()
    if told.is_set():
        # Vagrant's launcher, where there is one, ends at once and leaves behind the Vagrant that tidies up.
        ending.join()
    return code if code >= 0 else 128 - code


def _end_when_told(group: int, grace: float, told: threading.Event) -> None:
    while os.read(0, 64):
        pass
    told.set()
    for number, seconds in ((signal.SIGINT, grace), (signal.SIGTERM, _LAST_GRACE), (signal.SIGKILL, 0.0)):
        if not _signal(group, number):
            return
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not _signal(group, 0):
                return
            time.sleep(_LOOK_EVERY)


def _signal(group: int, number: int) -> bool:
    """Whether there was anybody left to be signalled; who may not be signalled any more is not ours."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    os._exit(main(float(sys.argv[1]), sys.argv[2:]))
