"""Runs a module in the background of the daemon: `python -m rwk_tui.daemon.background MODULE ARGUMENT…`.

It gives way to the lab, and is asked to end as soon as its standard input ends: the daemon holds the other end and says
nothing, so that is when the daemon has gone, however that came about. A process that is asked can tidy up, and end what
it has started itself; one that is killed with its parent can't.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading

_NICE = 10


def main() -> None:
    """Be in the background of whoever holds our input."""
    os.nice(_NICE)
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    threading.Thread(target=_wait, args=(main_thread,), daemon=True).start()
    module, *arguments = sys.argv[1:]
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _wait(main_thread: int) -> None:
    """Wait for the end of the input; the signal goes to the main thread, which may be waiting for something itself."""
    while os.read(0, 4096):
        pass
    signal.pthread_kill(main_thread, signal.SIGTERM)


if __name__ == "__main__":
    main()
