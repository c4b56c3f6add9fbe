"""Saving what etcd stores and making members anew from it, as operations."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from rwk_tui.cluster.etcd import UNIT, Static, client_url, data_dir, member_spec, peer_url
from rwk_tui.cluster.etcdctl import etcdctl
from rwk_tui.cluster.files import File, PutOp
from rwk_tui.cluster.kubernetes.units import engine_of
from rwk_tui.cluster.ops import Op, OpResult, RunOp, Tell, Together, UnitOp
from rwk_tui.cluster.reshape import APART
from rwk_tui.cluster.restart import RestartOp
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError, Machine, Place
from rwk_tui.settings import Settings

BUMP = 1_000_000_000
"""By how much revisions jump at a restore under an API server, as etcd's own documentation advises."""


Note = Callable[[int], None]
"""Hears up to which revision a backup goes."""


def backup(via: Machine, site: Site, name: str, note: Note = lambda _revision: None) -> tuple[Op, ...]:
    """Save a snapshot from the member on `via`, in the presenter's keeping, and say what is in it."""
    file, program = _file(site, name), _program(site, via, "etcdctl")
    endpoint = client_url(via, scheme=site.scheme_of(via.name))
    return (
        RunOp(site.lab.desk, (program, f"--endpoints={endpoint}", "snapshot", "save", file)),
        StatusOp(site.lab.desk, (_program(site, via, "etcdutl"), "snapshot", "status", file), note),
    )


def restore(
    machines: Sequence[Machine], site: Site, settings: Settings, name: str, *, under_api: bool
) -> tuple[Op, ...]:
    """Make the data of these machines' members anew from a snapshot; they are a new cluster, and start.

    A machine without a member, such as a fresh one, gets one; where members ask for certificates, it must have them.
    """
    peers = {machine.name: peer_url(machine, scheme=site.peer_scheme_of(machine.name)) for machine in machines}
    token = f"rwk-{name}"
    ops: list[Op] = []
    for machine in machines:
        path = f"restore/{name}.db"
        content = File(path, lambda: _read(_file(site, name)))
        ops.append(PutOp(machine, (content,), f"the snapshot {name}.db"))
    for machine in machines:
        command = (
            _program(site, machine, "etcdutl"),
            "snapshot",
            "restore",
            f"{machine.data}/restore/{name}.db",
            f"--name={machine.name}",
            f"--initial-cluster={','.join(f'{member}={url}' for member, url in peers.items())}",
            f"--initial-cluster-token={token}",
            f"--initial-advertise-peer-urls={peers[machine.name]}",
            f"--data-dir={data_dir(machine)}",
            *((f"--bump-revision={BUMP}", "--mark-compacted") if under_api else ()),
        )
        ops.append(RunOp(machine, command))
    fresh = {
        machine.name: member_spec(machine, settings, Static(peers, token), style=site.style)
        for machine in machines
        if site.spec(machine.name, UNIT) is None
    }
    starts = (UnitOp(machine, UNIT, "start", fresh.get(machine.name)) for machine in machines)
    return (*ops, Together(tuple(starts), APART))


def upgrade(machine: Machine, site: Site, engine: str) -> Op:
    """Restart a member with another engine, such as "etcd-3.7", otherwise as it is."""
    return EngineOp(RestartOp(machine, site, lambda spec: replace(spec, argv=(f"{engine}/etcd",))), engine)


@dataclass(frozen=True, slots=True)
class EngineOp:
    """A restart with another engine, once that one can read what the member stores.

    After `downgrade enable` each member brings its own storage back within some seconds, and an older etcd that is
    started before refuses to run. Raises LabError if it takes longer than `within` (s).
    """

    restart: RestartOp
    engine: str
    within: float = 30.0

    @property
    def machine(self) -> str:
        return self.restart.machine

    async def resolve(self) -> None:
        await self.restart.resolve()

    def command(self) -> str:
        return self.restart.command()

    async def run(self, tell: Tell) -> OpResult:
        machine, site = self.restart.on, self.restart.site
        until = time.monotonic() + self.within * site.lab.slack
        status = ("endpoint", "status", "-w", "json")
        scheme = site.scheme_of(machine.name)
        _, *options = etcdctl(machine, *status, public=False, scheme=scheme, slack=site.lab.slack)
        ask = RunOp(machine, (_program(site, machine, "etcdctl"), *options))
        while (stored := read_storage((await ask.run(lambda _stream, _text: None)).stdout)) > _minor(self.engine):
            if time.monotonic() > until:
                raise LabError(f"what {machine.name} stores is still of version {stored[0]}.{stored[1]}")
            await asyncio.sleep(0.5)
        return await self.restart.run(tell)


class _WireStatus(msgspec.Struct):
    version: str = msgspec.field(default="", name="storageVersion")


class _WireMember(msgspec.Struct):
    status: _WireStatus = msgspec.field(default_factory=_WireStatus, name="Status")


def read_storage(text: str) -> tuple[int, int]:
    """The minor whose storage a member has, as `etcdctl endpoint status -w json` tells; (0, 0) where it does not."""
    try:
        members = msgspec.json.decode(text, type=list[_WireMember])
    except msgspec.DecodeError:
        return (0, 0)
    return _minor(members[0].status.version) if members else (0, 0)


def _minor(text: str) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


class _WireSnapshot(msgspec.Struct):
    revision: int


@dataclass(frozen=True, slots=True)
class StatusOp:
    """Say what is in a snapshot; `note` hears up to which revision it goes before that is told."""

    on: Place
    argv: tuple[str, ...]
    note: Note

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        return None

    def _run(self, form: str) -> RunOp:
        return RunOp(self.on, (*self.argv, "-w", form))

    def command(self) -> str:
        return self._run("table").command()

    async def run(self, tell: Tell) -> OpResult:
        read = await self._run("json").run(lambda _stream, _text: None)
        if read.exit_code == 0:
            self.note(read_revision(read.stdout))
        return await self._run("table").run(tell)


def read_revision(text: str) -> int:
    """Up to which revision a snapshot goes, as `etcdutl snapshot status -w json` tells; LabError if it does not."""
    try:
        return msgspec.json.decode(text, type=_WireSnapshot).revision
    except msgspec.DecodeError as error:
        raise LabError(f"etcdutl snapshot status printed something unexpected: {error}") from error


def _program(site: Site, machine: Machine, name: str) -> str:
    """The tool of the engine that the machine's member runs: snapshots are only good for their own minor."""
    spec = site.spec(machine.name, UNIT)
    engine = engine_of(spec.argv[0]) if spec is not None else site.style.engine
    return f"{engine}/{name}" if engine else name


def _file(site: Site, name: str) -> str:
    return f"{site.lab.backups}/{name}.db"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise LabError(f"{path}: {error.strerror or error}") from error
