"""Becomes a program as soon as somebody listens at a Unix socket that it can't do without.

    python3 when_served.py SOCKET PROGRAM [ARGUMENT…]

PROGRAM may have a slash, such as kubernetes-1.36/kubelet: it then lies below a directory of PATH.
"""

from __future__ import annotations

import os
import socket
import sys
import time

PATIENCE = 180.0
"""Seconds that there may be no listener: a machine that boots has much to do."""


def main(path: str, argv: list[str]) -> None:
    """Wait, then let the program take our place."""
    until = time.monotonic() + PATIENCE
    while not listens(path):
        if time.monotonic() > until:
            sys.exit(f"nobody listens at {path}")
        time.sleep(0.1)
    program = where(argv[0])
    if not program:
        sys.exit(f"there is no {argv[0]} on this machine")
    os.execv(program, argv)


def listens(path: str) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket(socket.AF_UNIX) as tried:
        tried.settimeout(1.0)
        try:
            tried.connect(path)
        except OSError:
            return False
    return True


def where(name: str) -> str:
    """The path of that program, "" if there is none."""
    places = (f"{directory}/{name}" for directory in os.get_exec_path())
    return next((place for place in places if os.access(place, os.X_OK)), "")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
