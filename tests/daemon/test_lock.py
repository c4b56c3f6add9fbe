"""One daemon per state directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rwk_tui.daemon.lock import AlreadyRunning, StateLock

pytestmark = pytest.mark.process

HOLDER = """
import sys
from pathlib import Path
from rwk_tui.daemon.lock import StateLock
lock = StateLock(Path(sys.argv[1]))
lock.take()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_one_hears_who_has_it_and_gets_it_when_the_first_dies(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=f"pid {holder.pid}") as refused:
            StateLock(path).take()
        assert refused.value.pid == holder.pid
        holder.kill()
        lock = StateLock(path)
        lock.take(patience=5)
    assert path.read_text() == f"{os.getpid()}\n"
    lock.drop()


def test_dropping_it_lets_the_next_one_in(tmp_path: Path) -> None:
    first, second = StateLock(tmp_path / "lock"), StateLock(tmp_path / "lock")
    first.take()
    with pytest.raises(AlreadyRunning):
        second.take()
    first.drop()
    first.drop()
    second.take()
    second.drop()
