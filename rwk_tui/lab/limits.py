"""What may be asked of a link, on every backend."""

from __future__ import annotations

from rwk_tui.lab.protocol import LabError

_LONGEST_MS = 60_000


def check_delay(milliseconds: float, jitter: float) -> None:
    """Raises LabError if these (ms) are no delay, or the jitter is more than that."""
    if not 0 <= milliseconds <= _LONGEST_MS:
        raise LabError(f"a delay of {milliseconds:g} ms is not within 0 and {_LONGEST_MS}")
    if not 0 <= jitter <= milliseconds:
        raise LabError(f"a jitter of {jitter:g} ms is not within 0 and the delay of {milliseconds:g} ms")
