"""Three machines that are network namespaces, joined by a bridge in a fourth: a real network without a virtual machine.

The thread of the test moves into the fourth one, so that there the presenter is at 10.77.0.1 and nothing can leak out.
systemd is the one thing that such a machine lacks: what it would do is done here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from support.tools import unavailable

from rwk_tui.lab.host.address import BALANCED, Address
from rwk_tui.lab.host.complaints import Complaints
from rwk_tui.lab.protocol import Ability, Lab, LabError, Line, MachineDown, UnitSpec
from rwk_tui.lab.remote.agent import Done
from rwk_tui.lab.remote.balance import ACKNOWLEDGEMENT, CONFIG, PORT, PROGRAM, Balancers
from rwk_tui.lab.remote.front import Front
from rwk_tui.lab.remote.links import Links, RemoteLink

NAMES = ("core-01", "core-02", "core-03")
_PRESENTER = "10.77.0.1"
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count()


def _ip(*argv: str) -> None:
    subprocess.run(["ip", *argv], check=True, capture_output=True)


def _spawn(argv: Sequence[str], log: IO[bytes] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, stdout=log, stderr=log)


def needs_namespaces() -> None:
    """Skip a test where network namespaces can't be made."""
    name = f"rwk-try-{os.getpid()}"
    try:
        _ip("netns", "add", name)
        _ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.decode().strip() if isinstance(error, subprocess.CalledProcessError) else error
        unavailable(f"needs network namespaces (root, iproute2): {said}")


def _enter(file: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(file, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class NetRun:
    """A command whose lines are read as they come; what it says on stderr follows at the end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lines: asyncio.Queue[Line | None] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def __aiter__(self) -> AsyncIterator[Line]:
        while (line := await self._lines.get()) is not None:
            yield line

    async def wait(self) -> int:
        return await self._process.wait()

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None and self._process.stderr is not None
        while line := await self._process.stdout.readline():
            self._lines.put_nowait(Line("out", line.decode().rstrip("\n")))
        while line := await self._process.stderr.readline():
            self._lines.put_nowait(Line("err", line.decode().rstrip("\n")))
        self._lines.put_nowait(None)


class NetUnit:
    """A program in a machine's namespace, with its output in a file."""

    def __init__(self, machine: NetMachine, name: str) -> None:
        self._machine = machine
        self._log = machine.root / f"{name}.log"
        self._log.touch()
        self._spec: UnitSpec | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def configure(self, spec: UnitSpec) -> None:
        self._spec = spec

    async def start(self) -> None:
        assert self._spec is not None
        await self.kill()
        argv = [sys.executable, *self._spec.argv[1:]]
        with self._log.open("ab") as log:
            self._process = _spawn(self._machine.inside(*argv), log)

    async def kill(self) -> None:
        self._send(signal.SIGKILL)
        if self._process is not None:
            await asyncio.to_thread(self._process.wait, 10)
            self._process = None

    async def stop(self) -> None:
        await self.kill()

    async def pause(self) -> None:
        self._send(signal.SIGSTOP)

    async def resume(self) -> None:
        self._send(signal.SIGCONT)

    async def log(self, *, lines: int = 200, follow: bool = False) -> AsyncIterator[str]:
        for line in self._log.read_text().splitlines()[-lines:]:
            yield line

    def _send(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)


class NetMachine:
    """One of the three, as tests of the lab use it and as links and balancers do."""

    def __init__(self, name: str, lab: NetLab, root: Path) -> None:
        self.name = name
        self.root = root
        self.namespace = f"{lab.prefix}-{name}"
        self.address = f"10.77.0.{101 + NAMES.index(name)}"
        self.also: Sequence[str] = ()
        self.up = True
        self.full = False
        """Whether its disk takes nothing any more."""
        self.timers: dict[str, tuple[str, ...]] = {}
        self.executed: list[tuple[str, ...]] = []
        self._lab = lab
        self._units: dict[str, NetUnit] = {}
        self.balancer: subprocess.Popen[bytes] | None = None
        root.mkdir(parents=True)

    def inside(self, *argv: str) -> list[str]:
        """The command that runs another in this machine's network."""
        return ["ip", "netns", "exec", self.namespace, *argv]

    async def exec(self, *argv: str, input: bytes = b"", within: float = 10.0) -> Done:
        if not self.up:
            raise MachineDown(f"{self.name} is down")
        self.executed.append(argv)
        if argv[0] in ("systemctl", "systemd-run"):
            return self._systemd(*argv)
        process = await asyncio.create_subprocess_exec(
            *self.inside(*argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        async with asyncio.timeout(within):
            out, err = await process.communicate(input)
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        if not self.up:
            raise MachineDown(f"{self.name} is down")
        if self.full:
            raise LabError(f"{self.name}: {path}: No space left on device")
        place = self.here(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    async def get(self, path: str) -> bytes:
        if not self.up:
            raise MachineDown(f"{self.name} is down")
        try:
            return self.here(path).read_bytes()
        except OSError as error:
            raise LabError(str(error)) from error

    def here(self, path: str) -> Path:
        """Where that file of the machine lies."""
        return self.root / path.lstrip("/")

    def _systemd(self, *argv: str) -> Done:
        verb = argv[1] if argv[0] == "systemctl" else argv[0]
        if verb == "systemd-run":
            unit = next(word.removeprefix("--unit=") for word in argv if word.startswith("--unit="))
            self.timers[unit] = argv[argv.index("/bin/sh") :]
        elif verb in ("restart", "reload-or-restart") and argv[2] == "rwk-balance.service":
            self._balance(restart=verb == "restart")
        elif verb == "restart":
            return Done(0 if argv[2].removesuffix(".timer") in self.timers else 5, "", "not found")
        elif verb == "list-units":
            return Done(0, "".join(f"{name}.timer loaded active\n" for name in self.timers), "")
        elif verb == "stop":
            for name in list(self.timers):
                if any(word in (f"{name}.timer", "rwk-heal-*.timer") for word in argv):
                    del self.timers[name]
        return Done(0, "", "")

    def _balance(self, *, restart: bool) -> None:
        if self.balancer is not None and not restart:
            self.balancer.send_signal(signal.SIGHUP)
            return
        self.stop_balancer()
        argv = [sys.executable, *(str(self.here(path)) for path in (PROGRAM, CONFIG, ACKNOWLEDGEMENT))]
        self.here(ACKNOWLEDGEMENT).parent.mkdir(exist_ok=True)
        self.balancer = _spawn(self.inside(*argv), None)

    def stop_balancer(self) -> None:
        """End it as a machine that loses its power does."""
        if self.balancer is not None:
            self.balancer.kill()
            self.balancer.wait(10)
            self.balancer = None

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> NetRun:
        await self._lab.balancers.settled(self.name)
        return await self._lab.begin(self.inside(sys.executable, *argv[1:]))

    def unit(self, name: str) -> NetUnit:
        return self._units.setdefault(name, NetUnit(self, name))

    def url(self, port: int, *, scheme: str = "http") -> str:
        return f"{scheme}://{self.address}:{port}"

    def any_url(self, port: int, *, scheme: str = "http") -> str:
        if port not in BALANCED:
            raise LabError(f"port {port} is not balanced")
        return f"{scheme}://127.0.0.1:{BALANCED[port]}"

    def bind(self, port: int, *, public: bool) -> tuple[str, int]:
        return self.address if public else "127.0.0.1", port

    def listen_urls(self, port: int, *, public: bool, scheme: str = "http") -> tuple[str, ...]:
        return (f"{scheme}://127.0.0.1:{port}", *([self.url(port, scheme=scheme)] if public else []))

    async def reach(self, port: int) -> tuple[str, int]:
        return self.address, port

    async def kill(self) -> None:
        """As a power cut: programs and network are gone, and so are the rules and timers when it is back."""
        self.up = False
        for unit in self._units.values():
            await unit.kill()
        self.stop_balancer()
        _ip("-n", self.namespace, "link", "set", "eth0", "down")
        self.timers.clear()
        _ip(*self.inside("nft", "flush", "ruleset")[1:])

    async def start(self) -> None:
        _ip("-n", self.namespace, "link", "set", "eth0", "up")
        self.up = True
        for unit in self._units.values():
            await unit.start()
        await self._lab.connected(self.name)


class NetDesk:
    """The presenter's own computer."""

    name = "desk"

    def __init__(self, lab: NetLab) -> None:
        self._lab = lab

    async def run(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> NetRun:
        return await self._lab.begin([sys.executable, *argv[1:]])


class NetLab:
    """As much of a lab as its network is."""

    def __init__(self, root: Path, rearm_every: float) -> None:
        self.prefix = f"rwk{os.getpid()}-{next(_numbers)}"
        self.told = 0
        self.machines = {name: NetMachine(name, self, root / name) for name in NAMES}
        self.desk = NetDesk(self)
        self.runs: list[NetRun] = []
        self.complaints = Complaints()
        self.balancers = Balancers(self.machines)
        self.rearm_every = rearm_every
        self.network = self.new_links()
        addresses = {name: machine.address for name, machine in self.machines.items()}
        self.front = Front(lambda: addresses, Address("127.0.77.100", PORT))

    def new_links(self) -> Links:
        """Links that know nothing yet, as those of a daemon that has just started."""

        def told() -> None:
            self.told += 1

        return Links(self.machines, told, self.balancers, self.complaints.add, self.rearm_every)

    async def begin(self, argv: Sequence[str]) -> NetRun:
        """Run a command, until the end of the test at the latest."""
        null, pipe = subprocess.DEVNULL, subprocess.PIPE
        run = NetRun(await asyncio.create_subprocess_exec(*argv, stdin=null, stdout=pipe, stderr=pipe))
        self.runs.append(run)
        return run

    async def connected(self, machine: str) -> None:
        await self.balancers.deploy(machine)
        await self.network.apply(machine)

    @property
    def links(self) -> Sequence[RemoteLink]:
        return self.network.links

    def link(self, source: str, target: str) -> RemoteLink:
        return self.network.link(source, target)

    def any_address(self, port: int) -> tuple[str, int]:
        self._balanced(port)
        return self.front.address.host, self.front.address.port

    def steer(self, port: int, ready: Sequence[str]) -> None:
        self._balanced(port)
        self.front.steer(ready)
        self.balancers.steer(ready)

    def lacks(self, ability: Ability) -> str:
        return ""

    def _balanced(self, port: int) -> None:
        if port not in BALANCED:
            raise LabError(f"port {port} is not balanced")


def as_lab(lab: NetLab) -> Lab:
    """The same for what is promised of every lab."""
    return cast("Lab", lab)


def _remove(spaces: Sequence[str]) -> list[str]:
    """Take these namespaces away; whoever was left in one, in words."""
    left = []
    for space in spaces:
        if Path(f"/run/netns/{space}").exists():
            pids = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True).stdout.split()
            left += [f"{space}: pid {pid}" for pid in pids]
            _ip("netns", "del", space)
    return left


@contextlib.asynccontextmanager
async def net_lab(root: Path, rearm_every: float = 30.0) -> AsyncIterator[NetLab]:
    """A network of three machines with their balancers, and the presenter in it; nothing of it is left behind."""
    needs_namespaces()
    lab = NetLab(root, rearm_every)
    hub = f"{lab.prefix}-hub"
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _ip("netns", "add", hub)
        for words in (
            ("link", "add", "hub", "type", "bridge"),
            ("addr", "add", f"{_PRESENTER}/24", "dev", "hub"),
            ("link", "set", "hub", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", hub, *words)
        for number, machine in enumerate(lab.machines.values()):
            space = machine.namespace
            _ip("netns", "add", space)
            _ip("-n", hub, "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("-n", hub, "link", "set", f"v{number}", "master", "hub", "up")
            _ip("-n", space, "addr", "add", f"{machine.address}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "link", "set", "lo", "up")
        inside = os.open(f"/run/netns/{hub}", os.O_RDONLY)
        _enter(inside)
        os.close(inside)
        await lab.front.open()
        await asyncio.gather(*map(lab.connected, lab.machines))
        yield lab
    finally:
        for run in lab.runs:
            await run.kill()
        await lab.front.close()
        await lab.network.close()
        await lab.balancers.close()
        for machine in lab.machines.values():
            machine.stop_balancer()
            for unit in machine._units.values():
                await unit.kill()
        _enter(before)
        os.close(before)
        left = _remove([hub, *(machine.namespace for machine in lab.machines.values())])
        assert not left, left
