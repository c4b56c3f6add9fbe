"""Leads the way to the pods of other machines for as long as it runs.

    python3 pod_routes.py RANGE=ADDRESS…        such as 10.244.2.0/24=192.168.56.102

Each range of pods is reached by the address of the machine that has them; this machine passes on what is for its own.
At the end it passes on nothing any more if it was so before us. Where it did, that stays as it is. Who else switched it
on meanwhile can't be seen: it was on already.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

PROTOCOL = "144"
"""By this number routes of ours are told from everybody else's."""
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
BEFORE = Path("/run/rwk-ip-forward")
"""There if FORWARD was off before us, also if we were killed since; like that, it is gone after a restart."""
AGAIN = 2.0
"""Seconds until it is looked whether the routes are still there: whoever manages the network may have dropped them."""


def main(ways: list[tuple[str, str]]) -> int:
    """Set the routes, again when they go, and take them away when we are asked to end."""
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    _pass_on()
    said = ""
    try:
        while True:
            there = _there()
            missing = [way for way in ways if way[0] not in there]
            trouble = "; ".join(filter(None, [_route("replace", *way) for way in missing]))
            if trouble != said:
                print(trouble or "all routes are there", flush=True)
                said = trouble
            if signal.sigtimedwait(stop, AGAIN) is not None:
                return 0
    finally:
        for way in ways:
            _route("delete", *way)
        _pass_on_no_more()


def _pass_on() -> None:
    if FORWARD.read_text().strip() == "0":
        BEFORE.write_text("0")
        FORWARD.write_text("1")


def _pass_on_no_more() -> None:
    if BEFORE.exists():
        FORWARD.write_text("0")
        BEFORE.unlink()


def _route(verb: str, destination: str, address: str) -> str:
    """Change one route; what is wrong, if something is."""
    argv = ["ip", "route", verb, destination, "via", address, "proto", PROTOCOL]
    return subprocess.run(argv, capture_output=True, text=True).stderr.strip()


def _there() -> set[str]:
    """The ranges that there is a route to by way of another machine, from the kernel's own table."""
    found = set()
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        _, destination, gateway, *_rest, mask, _, _, _ = line.split()
        if int(gateway, 16):
            octets = bytes.fromhex(destination)[::-1]
            found.add(f"{'.'.join(map(str, octets))}/{bin(int(mask, 16)).count('1')}")
    return found


if __name__ == "__main__":
    pairs = [word.partition("=") for word in sys.argv[1:]]
    sys.exit(main([(destination, address) for destination, _, address in pairs]))
