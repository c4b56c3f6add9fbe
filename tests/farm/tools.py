"""Running programs and telling how long a part took."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECIPE = HERE / "recipe"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rwk-tui-farm"


class NoFarm(Exception):
    """Why there is no farm; one line for people."""


def say(text: str) -> None:
    """One line on standard error: standard output belongs to the command."""
    print(f"farm: {text}", file=sys.stderr, flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Tells how many seconds the part took, also when it failed."""
    start = time.monotonic()
    outcome = " (failed)"
    try:
        yield
        outcome = ""
    finally:
        say(f"{what} {time.monotonic() - start:.1f} s{outcome}")


def run(
    command: Sequence[str | Path], *, timeout: float, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """What the program said on standard output. Raises NoFarm with the last line of its complaint."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=timeout, env=env, cwd=cwd, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise NoFarm(f"{words[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise NoFarm(f"`{' '.join(words)}` took more than {timeout:.0f} s") from None
    if done.returncode:
        complaint = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
        raise NoFarm(f"`{' '.join(words)}` ended with {done.returncode}: {' / '.join(complaint[-3:])}")
    return done.stdout


def digest(*parts: bytes) -> str:
    """A short name for exactly these bytes."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]
