"""Which lab the tests of this run are to use: the local one, or machines that a test farm made for them.

RWK_TEST_LAB is "vagrant" or "ssh" in a farm; RWK_TEST_STATE names a directory whose machines are kept for the next run.
"""

from __future__ import annotations

import os
from pathlib import Path

from rwk_tui.settings import Settings, load_settings

KIND = os.environ.get("RWK_TEST_LAB", "")
KEPT = os.environ.get("RWK_TEST_STATE", "")
SLACK = float(os.environ.get("RWK_SLACK") or 1.0)
"""By how much everything takes longer than on the local lab."""
BUSY = 3.0 * SLACK
"""By how much more on a computer that has other things to do: each deadline that only guards against hanging is this
many times as long as what it waits for usually takes."""


def remote_settings(state: Path, **flags: str) -> Settings:
    """Settings for those machines, which the farm describes in the environment."""
    return load_settings({"state": str(state), "backend": KIND, **flags}, config=Path(os.devnull))
