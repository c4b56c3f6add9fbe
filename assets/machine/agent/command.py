"""A command that the agent runs, or a file that it reads: what goes back comes in pieces."""

from __future__ import annotations

import base64
import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from speech import BLOCK, Stream, say

AFTERWARDS = 1.0  # seconds that children which outlive a command may go on writing
LOOK_EVERY = 0.05  # seconds between two looks where the kernel does not tell of an end


class Download(Stream):
    """A file, to the other side."""

    def __init__(self, ident: int, path: str) -> None:
        super().__init__(ident)
        self._path = path

    def main(self) -> None:
        with open(self._path, "rb") as file:
            while not self.over:
                self.wait_for_room()
                data = file.read(BLOCK)
                if not data:
                    break
                self.send("out", data)
        say(self.ident, end=0)


class Command(Stream):
    """A command in a session and process group of its own, with what it prints."""

    def __init__(self, ident: int, message: dict[str, Any], at_end: Callable[[], None]) -> None:
        super().__init__(ident)
        self._message = message
        self._at_end = at_end
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End it with all its children."""
        super().close()
        if self._process is not None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def main(self) -> None:
        content = self._message["input"]
        process = self._process = self._start(None if content is None else subprocess.PIPE)
        if self.over:
            self.close()  # it was told to end while it started
        say(self.ident, began=process.pid)
        if content is not None:
            threading.Thread(target=self._feed, args=(process, base64.b64decode(content)), daemon=True).start()
        with contextlib.suppress(OSError):
            self._pump(process)
        code = process.wait()
        for pipe in (process.stdout, process.stderr):
            pipe.close()
        self._at_end()
        say(self.ident, end=code if code >= 0 else 128 - code)

    def _start(self, pipe: int | None) -> subprocess.Popen[bytes]:
        argv, environment = self._message["argv"], self._message["environment"]
        if environment is None:
            environment = {**os.environ, "LC_ALL": "C"}
        # It must not outlive us even if we are killed. This thread, its parent, lives as long as it does.
        program, binder = shutil.which(argv[0], path=environment.get("PATH")), shutil.which("setpriv")
        if program is not None and binder is not None:
            argv = [binder, "--pdeathsig", "KILL", "--", program, *argv[1:]]
        return subprocess.Popen(
            argv,
            env=environment,
            cwd=self._message["directory"] or "/",
            stdin=pipe or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @staticmethod
    def _feed(process: subprocess.Popen[bytes], content: bytes) -> None:
        with contextlib.suppress(OSError), process.stdin as pipe:  # it may not want all of it
            pipe.write(content)

    def _pump(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what it prints until it has ended and nothing more comes."""
        pipes = {process.stdout.fileno(): "out", process.stderr.fileno(): "err"}
        poll = select.poll()
        for pipe in pipes:
            poll.register(pipe, select.POLLIN)
        life = life_of(process.pid)
        if life >= 0:
            poll.register(life, select.POLLIN)
        alive = True
        try:
            while (pipes or alive) and not self.over:
                self.wait_for_room()
                wait = AFTERWARDS if not alive else LOOK_EVERY if life < 0 else None
                ready = poll.poll(wait and wait * 1000)
                if alive and process.poll() is not None:
                    alive = False
                    if life >= 0:
                        poll.unregister(life)
                    continue
                if not alive and not ready:  # only a child that left the group holds its pipes
                    break
                for pipe, _ in ready:
                    if pipe == life:
                        continue
                    data = os.read(pipe, BLOCK)
                    if data:
                        self.send(pipes[pipe], data)
                    else:
                        poll.unregister(pipe)
                        del pipes[pipe]
        finally:
            if life >= 0:
                os.close(life)


def life_of(pid: int) -> int:
    """A descriptor that can be read when the process has ended; -1 where kernel or Python are too old for that."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1
