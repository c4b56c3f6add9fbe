"""What tests of labs share: settings, two small programs that talk to each other, and waiting with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import psutil
import pytest
from support.remote_lab import BUSY, KIND, SLACK
from support.subnets import base_port

from rwk_tui.lab.protocol import Lab, LabError, Line, Listen, Machine, Place, Run, Unit, UnitSpec, UnitStatus
from rwk_tui.settings import Settings, Timeouts
from rwk_tui.watch.stalls import Stalls

PORT = 8000
PRIVATE_PORT = 8001
BALANCED_PORT = 6443
PROGRAMS = {} if KIND else {"python3": Path(sys.executable)}
"""Machines that are not ours bring a Python of their own."""

SERVER = """
import socketserver, sys, threading
class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            print("got", line.decode().strip(), flush=True)
            self.wfile.write(sys.argv[1].encode() + b" " + line)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True
places = [url.removeprefix("http://").split(":") for url in sys.argv[2:]]
for server in [Server((host, int(port)), Talk) for host, port in places]:  # who answers at one listens at all
    threading.Thread(target=server.serve_forever).start()
print("serving", flush=True)
"""

DIAL = """
import socket, sys
host, port = sys.argv[1].removeprefix("http://").split(":")
try:
    with socket.create_connection((host, int(port)), float(sys.argv[2])) as s:
        s.sendall(b"hello\\n")
        answer = s.makefile().readline().strip()
        print(answer or "closed")
except TimeoutError:
    print("silent")
except OSError as error:
    print("refused")
"""

TALK = """
import socket, sys, threading, time
host, port = sys.argv[1].removeprefix("http://").split(":")
s = socket.create_connection((host, int(port)), 5)
s.settimeout(None)  # whoever listens to us knows how long to wait
def speak():
    for n in range(10**6):
        s.sendall(b"%d\\n" % n)
        time.sleep(0.05)
threading.Thread(target=speak, daemon=True).start()
try:
    for line in s.makefile():
        print(line.strip(), flush=True)
    print("closed", flush=True)
except OSError:
    print("broken", flush=True)
"""

SLOW_MS = 120.0
"""How long a slow disk of these tests holds each sync back."""
SYNC = """
import os, sys, time
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
def took(sync):
    begun = time.monotonic()
    os.write(file, b"x")
    sync(file)
    return (time.monotonic() - begun) * 1000
while True:
    print(f"{took(os.fsync):.1f} {took(os.fdatasync):.1f}", flush=True)
    time.sleep(0.02)
"""


def local_settings(state: Path, plan: str = "auto", *, subnet: int, stop: float = 3.0) -> Settings:
    """Settings of a local lab below `state`."""
    return Settings(
        state=state,
        engine_cache=state,
        subnet=subnet,
        addresses=plan,
        base_port=base_port(subnet),
        timeouts=Timeouts(stop=stop),
    )


async def eventually(holds: Callable[[], Awaitable[bool]], deadline: float = 10.0, what: str = "it") -> None:
    """Wait until it holds; AssertionError after `deadline` seconds, or longer as the computer may be busy."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline * BUSY
    while not await holds():
        assert loop.time() < end, f"waited {deadline:g} s for {what}"
        await asyncio.sleep(0.02)


async def output(run: Run) -> tuple[int, list[str], list[str]]:
    """Exit code, lines of stdout, lines of stderr."""
    lines: list[Line] = [line async for line in run]
    return (
        await run.wait(),
        [line.text for line in lines if line.stream == "out"],
        [line.text for line in lines if line.stream == "err"],
    )


async def serve(machine: Machine, *ports: int, unit: str = "talk", public: bool = True, bound: bool = False) -> None:
    """Make the talking server run as a unit; `bound` to one address a port, or at all that there are."""
    urls: list[str] = []
    for port in ports or (PORT,):
        host, number = machine.bind(port, public=public)
        urls += [f"http://{host}:{number}"] if bound else machine.listen_urls(port, public=public)
    listens = tuple(Listen(port, public, bound) for port in ports or (PORT,))
    spec = UnitSpec(unit, ("python3", "-S", "-c", SERVER, machine.name, *urls), listens=listens)
    await machine.unit(unit).configure(spec)
    await machine.unit(unit).start()
    for port in ports or (PORT,):
        await serving(machine, port)


async def serving(machine: Machine, port: int = PORT) -> None:
    """Until the server answers on its own machine."""

    async def answers() -> bool:
        return await ask(machine, port) == f"{machine.name} hello"

    await eventually(answers, what=f"the server on {machine.name}")


async def ask(machine: Machine, port: int = PORT) -> str:
    """What the presenter's own tools hear from that port; "" if nothing."""
    host, number = await machine.reach(port)

    def dial() -> str:
        try:
            with socket.create_connection((host, number), 2 * SLACK) as connection:
                connection.sendall(b"hello\n")
                return connection.makefile().readline().strip()
        except OSError:
            return ""

    return await asyncio.to_thread(dial)


async def dial(source: Machine, target: Machine, port: int = PORT) -> str:
    """What a short-lived command on one machine hears from another: an answer, "refused", "closed" or "silent"."""
    return await dial_at(source, target.url(port))


async def dial_at(place: Place, url: str) -> str:
    """The same from any place to any URL."""
    run = await place.run(["python3", "-S", "-c", DIAL, url, str(2 * SLACK)])
    _, out, err = await output(run)
    assert not err, err
    return out[0]


async def write_down(machine: Machine, unit: str = "scribe") -> Unit:
    """Make a program run as a unit that goes on syncing a file, by either call in turn."""
    scribe = machine.unit(unit)
    await scribe.configure(UnitSpec(unit, ("python3", "-S", "-c", SYNC, f"{machine.data}/{unit}")))
    await scribe.start()
    await syncs(scribe)
    return scribe


async def unslowed(unit: Unit) -> None:
    """Wait until its syncs are not held back; a real disk takes as long now and then, but not each time."""

    async def is_fast() -> bool:
        return max(await syncs(unit)) < SLOW_MS

    await eventually(is_fast, what="syncs that nothing holds back")


async def syncs(scribe: Unit) -> tuple[float, float]:
    """How long (ms) the program's next fsync and fdatasync take."""
    before = await _printed(scribe)
    lines: list[str] = []

    async def two_more() -> bool:
        nonlocal lines
        lines = await _printed(scribe)
        return len(lines) > len(before) + 1  # the first of them may have begun before

    await eventually(two_more, what="the next syncs")
    first, second = map(float, lines[-1].split())
    return first, second


async def _printed(unit: Unit) -> list[str]:
    return [line async for line in unit.log(lines=100_000)]


async def talk(source: Machine, target: Machine) -> tuple[Run, AsyncIterator[Line]]:
    """A command that talks over one connection without end, and its lines: `core-01 0`, `core-01 1`, …"""
    return await talk_at(source, target.url(PORT))


async def talk_at(place: Place, url: str) -> tuple[Run, AsyncIterator[Line]]:
    """The same from any place to any URL."""
    run = await place.run(["python3", "-S", "-c", TALK, url])
    return run, aiter(run)


async def hears(lines: AsyncIterator[Line], within: float = 5.0) -> str:
    """The next line, "" if none comes within that time (s)."""
    pending = asyncio.ensure_future(anext(lines))
    done, _ = await asyncio.wait({pending}, timeout=within * SLACK)
    return pending.result().text if done else ""


async def unit_status(lab: Lab, machine: str, unit: str = "talk") -> UnitStatus:
    """As the machine tells it."""
    return (await lab.machines[machine].status()).units[unit]


@contextlib.asynccontextmanager
async def held_lab(
    state: Path, what: str, subnet: int
) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[psutil.Process]]]:
    """A process that holds a lab in `state`, and everything that it started."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("lab_child.py")),
        str(state),
        what,
        str(subnet),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    try:
        assert child.stdout is not None
        word, *pids = (await asyncio.wait_for(child.stdout.readline(), 90)).decode().split()
        assert word == "ready"
        yield child, [psutil.Process(int(pid)) for pid in pids]
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def all_gone(pids: list[int]) -> bool:
    """Whether none of these processes lives."""

    def lives(pid: int) -> bool:
        try:
            return bool(_alive(psutil.Process(pid)))
        except psutil.NoSuchProcess:
            return False

    return not any(lives(pid) for pid in pids)


async def until_gone(processes: Sequence[psutil.Process], deadline: float = 60.0) -> float:
    """Wait until none of them lives, and return how long that took (s), less the time this computer stood still in it.

    AssertionError with those that live after `deadline` (s). Numbers are given out again, so it is the process that is
    looked at, not what has its number now.
    """
    seen: list[str] = []
    stalls, began = Stalls(time.time), time.time()
    beat = asyncio.create_task(stalls.watch_loop())

    async def gone() -> bool:
        seen[:] = [words for process in processes if (words := _alive(process))]
        return not seen

    try:
        await eventually(gone, deadline, "their end")
    except AssertionError as error:
        raise AssertionError(f"{error}; still there: {', '.join(seen)}") from None
    else:
        ended = time.time()
        return ended - began - stalls.within(began, ended)
    finally:
        beat.cancel()


def _alive(process: psutil.Process) -> str:
    """The process in words, "" if it lives no more."""
    try:
        status = process.status() if process.is_running() else psutil.STATUS_ZOMBIE
        return f"{process.pid} {process.name()} ({status})" if status != psutil.STATUS_ZOMBIE else ""
    except psutil.NoSuchProcess:
        return ""


async def cut_power(lab: Lab, machine: str) -> str:
    """Take a machine's power, or halt it where power can't be cut; returns the power that it then has."""
    victim = lab.machines[machine]
    if not lab.lacks("power cut"):
        await victim.kill()
        return "off"
    with pytest.raises(LabError):
        await victim.kill()
    await victim.stop()
    return "halted"


def needs(why: str) -> None:
    """Skip a test where this lab lacks what it is about; the faults chooser says the same `why`."""
    if why:
        pytest.skip(why)
