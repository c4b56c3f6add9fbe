"""The daemon's process: `python -m rwk_tui.daemon --state DIR`, everything else from RWK_* variables."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys

from rwk_tui.daemon.lock import AlreadyRunning, StateLock
from rwk_tui.daemon.parts import Compose
from rwk_tui.daemon.places import lock_file, make_state
from rwk_tui.daemon.service import Service
from rwk_tui.settings import BadInput, Settings, check_socket, load_settings

log = logging.getLogger("rwk-tui")

PATIENCE = 2.0
"""Seconds to wait for the lock of a daemon that has just taken its socket away."""


def load_compose() -> Compose:
    """The real parts; heavy to import."""
    from rwk_tui.daemon.compose import compose

    return compose


def main(arguments: list[str] | None = None) -> int:
    """Hold one lab until nobody wants it any more; errors are one line on stderr, which is the daemon's log."""
    parser = argparse.ArgumentParser(prog="rwk-tui-daemon", description="Hold one lab.")
    parser.add_argument("--state", metavar="DIR", help="where the lab lives")
    given = parser.parse_args(arguments)
    os.umask(0o077)
    # Libraries tell of every connection that they open, which a poll does for days.
    logging.basicConfig(format="%(asctime)s rwk-tui: %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("rwk-tui").setLevel(logging.INFO)
    try:
        settings = load_settings({"state": given.state} if given.state else {})
        check_socket(settings)
        make_state(settings)
        lock = StateLock(lock_file(settings))
        lock.take(PATIENCE)
    except BadInput as error:
        log.error("%s", error)
        return 2
    except AlreadyRunning as error:
        log.error("%s", error)
        return 1
    except OSError as error:
        log.error("%s can't be used: %s", error.filename or given.state, error.strerror or error)
        return 1
    try:
        return asyncio.run(_hold(settings))
    except OSError as error:
        log.error("%s: %s", error.filename or settings.socket, error.strerror or error)
        return 1
    finally:
        lock.drop()


async def _hold(settings: Settings) -> int:
    service = Service(settings, load_compose)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.lifetime.end, f"{signal.Signals(number).name} came")
    return await service.run()


if __name__ == "__main__":
    sys.exit(main())
