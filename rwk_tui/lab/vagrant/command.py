"""python-vagrant with processes that can be stopped: its calls block, so they are made in worker threads."""

from __future__ import annotations

import logging
import os
import selectors
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

# Without vagrant on PATH, importing it would print a warning where a screen may be; we say so when it matters.
logging.getLogger("vagrant").setLevel(logging.ERROR)

import vagrant  # noqa: E402

from rwk_tui.lab.vagrant.output import Splitter  # noqa: E402
from rwk_tui.lab.vagrant.vagrantfile import Place  # noqa: E402

GRACE = 20.0
"""Seconds that an interrupted Vagrant has to tidy up."""
_KEEPER = Path(__file__).with_name("keeper.py")
_LOOK_AGAIN = 0.5


class Stopped(Exception):
    """It was stopped because nobody wants it any more."""


class Stop:
    """A wish, said once from any thread, that a command ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipe = -1
        self.wished = False

    def wish(self) -> None:
        """Have the command end, now or as soon as it begins; harmless when it has ended."""
        with self._lock:
            self.wished = True
            self._let_go()

    def hold(self, pipe: int) -> None:
        """Keep the pipe that the command's keeper waits at."""
        with self._lock:
            self._pipe = pipe
            if self.wished:
                self._let_go()

    def ended(self) -> None:
        """The command has ended."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1


# It is marked as typed, and has no types.
_Untyped: Any = vagrant.Vagrant


class Command(_Untyped):  # type: ignore[misc]
    """One use of Vagrant in a thread; `hear` gets what it prints, raw, line by line and in that thread.

    Its methods raise subprocess.CalledProcessError with what was printed on both streams, RuntimeError if there is no
    vagrant, OSError, and Stopped.
    """

    def __init__(self, place: Place, stop: Stop, hear: Callable[[str], None]) -> None:
        super().__init__(root=str(place.directory), env=place.environment(os.environ), err_cm=tempfile.TemporaryFile)
        self._stop = stop
        self._hear = hear

    def _call_vagrant_command(self, args: Sequence[str | None]) -> None:
        for line in self._stream_vagrant_command(args):
            self._hear(line)

    def _run_vagrant_command(self, args: Sequence[str | None]) -> str:
        return "\n".join(self._stream_vagrant_command(args))

    def _stream_vagrant_command(self, args: Sequence[str | None]) -> Iterator[str]:
        command: list[str] = self._make_vagrant_command(args)
        if self._stop.wished:
            raise Stopped
        printed: list[str] = []
        with self.err_cm() as errors:
            code = 0
            for item in self._keep(command, errors):
                if isinstance(item, int):
                    code = item
                else:
                    printed.append(item)
                    yield item
            if self._stop.wished:
                raise Stopped
            if code:
                errors.seek(0)
                said = errors.read().decode(errors="replace")
                raise subprocess.CalledProcessError(code, command, "\n".join(printed), said)

    def _keep(self, command: Sequence[str], errors: IO[bytes]) -> Iterator[str | int]:
        """Lines as they come, and last the exit code."""
        theirs, ours = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_KEEPER), str(GRACE), *command],
                cwd=self.root,
                env=self.env,
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._stop.hold(ours)
        try:
            with process:
                assert process.stdout is not None
                try:
                    yield from _lines(process, process.stdout.fileno())
                    yield process.wait()
                except BaseException:
                    self._stop.wish()
                    raise
        finally:
            self._stop.ended()


def _lines(process: subprocess.Popen[bytes], output: int) -> Iterator[str]:
    """Lines until the process has ended: a machine that it started may have inherited its output and hold it open."""
    splitter = Splitter()
    ended = False
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if selector.select(0 if ended else _LOOK_AGAIN):
                data = os.read(output, 65536)
                yield from splitter.feed(data)
                if not data:
                    return
            elif ended:
                yield from splitter.feed(b"")
                return
            ended = ended or process.poll() is not None
