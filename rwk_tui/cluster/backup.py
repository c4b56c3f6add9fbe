"""Saving what etcd stores and making members anew from it, as operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rwk_tui.cluster.etcd import UNIT, client_url, data_dir, peer_url
from rwk_tui.cluster.files import File, PutOp
from rwk_tui.cluster.kubernetes.units import engine_of
from rwk_tui.cluster.ops import Op, OpResult, RunOp, Tell, Together, UnitOp
from rwk_tui.cluster.reshape import APART
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError, Machine, UnitSpec

BUMP = 1_000_000_000
"""By how much revisions jump at a restore under an API server, as etcd's own documentation advises."""


def backup(via: Machine, site: Site, name: str) -> tuple[Op, ...]:
    """Save a snapshot from the member on `via`, in the presenter's keeping, and say what is in it."""
    file, program = _file(site, name), _program(site, via, "etcdctl")
    endpoint = client_url(via, scheme=site.scheme)
    return (
        RunOp(site.lab.desk, (program, f"--endpoints={endpoint}", "snapshot", "save", file)),
        RunOp(site.lab.desk, (_program(site, via, "etcdutl"), "snapshot", "status", file, "-w", "table")),
    )


def restore(machines: Sequence[Machine], site: Site, name: str, *, under_api: bool) -> tuple[Op, ...]:
    """Make the data of these machines' members anew from a snapshot; they are a new cluster, and start."""
    peers = {machine.name: peer_url(machine, scheme=site.scheme) for machine in machines}
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
            f"--initial-cluster-token=rwk-{name}",
            f"--initial-advertise-peer-urls={peers[machine.name]}",
            f"--data-dir={data_dir(machine)}",
            *((f"--bump-revision={BUMP}", "--mark-compacted") if under_api else ()),
        )
        ops.append(RunOp(machine, command))
    ops.append(Together(tuple(UnitOp(machine, UNIT, "start") for machine in machines), APART))
    return tuple(ops)


@dataclass(slots=True)
class EngineOp:
    """Restart a member with another engine, otherwise as it is."""

    on: Machine
    site: Site
    engine: str

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        await self.site.look()

    def _spec(self) -> UnitSpec:
        spec = self.site.spec(self.on.name, UNIT)
        return replace(spec, argv=(f"{self.engine}/etcd",)) if spec else UnitSpec(UNIT, (f"{self.engine}/etcd",))

    def command(self) -> str:
        return self.on.unit(UNIT).show_spec("restart", self._spec())

    async def run(self, tell: Tell) -> OpResult:
        if self.site.spec(self.on.name, UNIT) is None:
            raise LabError(f"{self.on.name} has no member that could be upgraded")
        return await UnitOp(self.on, UNIT, "restart", self._spec()).run(tell)


def _program(site: Site, machine: Machine, name: str) -> str:
    """The tool of the engine that the machine's member runs: snapshots are only good for their own minor."""
    spec = site.spec(machine.name, UNIT)
    engine = engine_of(spec.argv[0]) if spec is not None else ""
    return f"{engine}/{name}" if engine else name


def _file(site: Site, name: str) -> str:
    return f"{site.lab.backups}/{name}.db"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise LabError(f"{path}: {error.strerror or error}") from error
