"""Process groups: how a program is started so that it can't outlive us, and how it ends with all its children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.address import NO_MACHINE
from rwk_tui.lab.host.record import Record
from rwk_tui.lab.protocol import LabError

# The program begins only after a line on its input says that it has been written down. If we die before, the input
# ends without that line and the program never begins.
_GATE = ("/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "rwk")
_WARDEN = Path(__file__).with_name("warden.py")
_LOOK_AGAIN = 0.002


@cache
def _leash() -> tuple[str, ...]:
    """Words before a command that make the kernel end it when we die; () where there is no such thing."""
    setpriv = shutil.which("setpriv") if procs.LINUX else None
    if not setpriv:
        return ()
    words = (setpriv, "--pdeathsig", "KILL", "--")
    tried = subprocess.run([*words, "true"], check=False, capture_output=True, timeout=5)
    return words if tried.returncode == 0 else ()


@cache
def _naming() -> tuple[str, ...]:
    """Words before a command that give it a host name of its own, which comes next; () where that can't be had.

    Programs that call themselves by their host's name, as the leaders of a control plane do, can then be told apart.
    """
    unshare = shutil.which("unshare") if procs.LINUX else None
    if not unshare:
        return ()
    named = ("/bin/sh", "-c", 'hostname "$1" && shift && exec "$@"', "rwk")
    for how in (("--uts",), ("--uts", "--user", "--map-current-user", "--keep-caps")):
        words = (unshare, *how, "--", *named)
        tried = subprocess.run([*words, "core-00", "true"], check=False, capture_output=True, timeout=5)
        if tried.returncode == 0:
            return words
    return ()


def named(machine: str) -> tuple[str, ...]:
    """Words before a command that make it believe that its host is called like that machine, where that can be had."""
    words = _naming() if machine else ()
    return (*words, machine) if words else ()


def harness(machine: str) -> tuple[str, ...]:
    """Words before a command that make it die with us, and believe that its host is called like that machine."""
    return (*_leash(), *named(machine))


def in_words(code: int) -> str:
    """How a process ended: "exit code 1" or "killed by SIGKILL"."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


class Group:
    """One program with all its children, in a session and process group of its own."""

    def __init__(self, process: subprocess.Popen[bytes], machine: str, what: str) -> None:
        self._process = process
        self.pid = process.pid
        self.machine = machine
        self.what = what
        self.code: int | None = None
        self._ended = asyncio.get_running_loop().create_future()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The leader, for its pipes."""
        return self._process

    def signal(self, number: int) -> None:
        """Send a signal to the program and all its children; harmless when it has ended."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    async def wait(self) -> int:
        """The exit code as subprocess has it (negative: by that signal)."""
        return int(await asyncio.shield(self._ended))

    async def end(self, grace: float) -> int:
        """Ask it to end and kill it after `grace` seconds."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a frozen program would not even notice
        try:
            async with asyncio.timeout(grace):
                return await self.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            return await self.wait()

    def watch(self, buried: Callable[[Group], None]) -> None:
        """Notice the end of the leader; then end what it left behind and call `buried`."""
        loop = asyncio.get_running_loop()

        def ended() -> None:
            code = self._process.poll()
            if code is None:  # who traces it is told first; we are when that one has taken notice
                loop.call_later(_LOOK_AGAIN, ended)
                return
            # Children that outlived it are of no use to anybody, and nobody would end them later.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.code = code
            buried(self)
            if not self._ended.done():
                self._ended.set_result(code)

        try:
            handle = os.pidfd_open(self.pid)
        except (AttributeError, OSError):

            def block() -> None:
                self._process.wait()
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
                    loop.call_soon_threadsafe(ended)

            threading.Thread(target=block, name=f"wait-{self.pid}", daemon=True).start()
            return

        def readable() -> None:
            loop.remove_reader(handle)
            os.close(handle)
            ended()

        loop.add_reader(handle, readable)


class Processes:
    """Every program that the lab runs now, written down on disk and guarded against our own death."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._warden: subprocess.Popen[bytes] | None = None
        self.live: dict[int, Group] = {}

    def of(self, machine: str) -> list[Group]:
        """The groups that run on a machine."""
        return [group for group in self.live.values() if group.machine == machine]

    def machine_of(self, pid: int) -> str:
        """The machine on which a process runs, "" if on none: it is the presenter's."""
        group = self.live.get(pid)
        if group is None:
            with contextlib.suppress(OSError):
                group = self.live.get(os.getsid(pid))
        return group.machine if group else NO_MACHINE

    def spawn(
        self,
        argv: Sequence[str],
        *,
        machine: str,
        what: str,
        environment: Mapping[str, str],
        directory: Path,
        output: int,
        errors: int,
        named: bool = True,
    ) -> Group:
        """Start a program in a group of its own; `output` and `errors` as in subprocess. Raises LabError.

        Unless `named`, it knows the host by its real name, and keeps the rights over the machine's programs that a
        name of its own may cost it.
        """
        theirs, ours = os.pipe()
        try:
            process = subprocess.Popen(
                [*harness(machine if named else NO_MACHINE), *_GATE, *argv],
                stdin=theirs,
                stdout=output,
                stderr=errors,
                cwd=directory,
                env=dict(environment),
                start_new_session=True,
            )
            os.close(theirs)
            theirs = -1
            group = Group(process, machine, what)
            group.watch(self._bury)
            self.live[group.pid] = group
            self._record.add(group.pid, machine=machine, what=what)
            self._tell(f"+{group.pid}\n")
            with contextlib.suppress(BrokenPipeError):
                os.write(ours, b"go\n")
        except OSError as error:
            where = f" on {machine}" if machine else ""
            raise LabError(f"can't start {argv[0]}{where}: {error.strerror or error}") from error
        finally:
            os.close(ours)
            if theirs >= 0:
                os.close(theirs)
        return group

    def _bury(self, group: Group) -> None:
        self.live.pop(group.pid, None)
        self._record.remove(group.pid)
        self._tell(f"-{group.pid}\n")

    def _tell(self, line: str) -> None:
        for _ in range(2):
            if self._warden is None:
                if line[0] == "-":
                    return
                self._hire()
                continue
            pipe = self._warden.stdin
            assert pipe is not None
            try:
                pipe.write(line.encode())
                pipe.flush()
                return
            except OSError:
                self._dismiss()  # somebody ended it: the next one is told everything
                if self.live:
                    self._hire()
                return

    def _hire(self) -> None:
        self._warden = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_WARDEN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        pipe = self._warden.stdin
        assert pipe is not None
        pipe.write("".join(f"+{pid}\n" for pid in self.live).encode())
        pipe.flush()

    def _dismiss(self) -> None:
        warden, self._warden = self._warden, None
        if warden is not None and warden.stdin is not None:
            with contextlib.suppress(OSError):
                warden.stdin.close()
            try:
                warden.wait(2)
            except subprocess.TimeoutExpired:
                warden.kill()
                warden.wait()

    async def close(self) -> None:
        """Let the warden go; nothing runs any more."""
        await asyncio.to_thread(self._dismiss)
