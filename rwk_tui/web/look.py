"""What runs for each visitor: `python -m rwk_tui.web.look`, a view that can write no file and gives way to the lab."""

from __future__ import annotations

import os
import resource
import sys

NICE = 5
MEMORY = 2 * 1024**3
"""Bytes of addresses that a view may use: whoever pastes without end ends only their own."""


def main() -> int:
    """Look at the lab until the browser goes."""
    sys.dont_write_bytecode = True
    os.nice(NICE)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":  # Elsewhere that counts what nobody uses, or is not kept.
        _limit(resource.RLIMIT_AS, MEMORY)
    os.environ["TEXTUAL_DRIVER"] = "rwk_tui.cockpit.browser:BrowserDriver"
    from rwk_tui.cockpit.run import run_view
    from rwk_tui.settings import load_settings

    return run_view(load_settings())


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    sys.exit(main())
