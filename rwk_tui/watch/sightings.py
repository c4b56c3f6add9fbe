"""What every source said last, and when: the raw material of the rows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal
from urllib.parse import urlsplit

from rwk_tui.cluster.etcd import is_secured
from rwk_tui.cluster.kubernetes.units import KUBELET
from rwk_tui.lab.protocol import MachineStatus, UnitStatus
from rwk_tui.watch.answers import Member, Status

LATENCIES_KEPT = 20
ETCD = "etcd"


@dataclass(slots=True)
class MachineSighting:
    """A machine's last status; `why` says why the newest question went unanswered ("" when it was answered)."""

    status: MachineStatus | None = None
    at: float = 0.0
    why: str = ""

    def etcd(self) -> UnitStatus | None:
        return self.status.units.get(ETCD) if self.status is not None else None


@dataclass(slots=True)
class MemberSighting:
    """The last Status from the etcd of one machine; `asked` is when the newest question ended, well or not."""

    status: Status | None = None
    at: float = 0.0
    asked: float = 0.0
    why: str = "not asked yet"
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))


@dataclass(slots=True)
class Roster:
    """The member list last seen; `why` says why it could not be fetched again."""

    members: tuple[Member, ...] = ()
    at: float = 0.0
    why: str = ""


@dataclass(slots=True)
class Scene:
    """All sightings, by machine; `homes` remembers on which machine a member ID was last met."""

    addresses: dict[str, str]
    machines: dict[str, MachineSighting] = field(default_factory=dict)
    members: dict[str, MemberSighting] = field(default_factory=dict)
    roster: Roster | None = None
    homes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.addresses:
            self.machines.setdefault(name, MachineSighting())
            self.members.setdefault(name, MemberSighting())

    def answered(self, machine: str, status: Status, at: float, latency_ms: float) -> None:
        """Take in a member's answer."""
        seen = self.members[machine]
        seen.status, seen.at, seen.asked, seen.why = status, at, at, ""
        seen.latencies.append(round(latency_ms, 2))
        self.homes[status.member_id] = machine

    def missed(self, machine: str, why: str, at: float) -> None:
        """Take in that a member did not answer."""
        seen = self.members[machine]
        seen.asked, seen.why = at, why

    def silence(self, machine: str) -> str:
        """Why the member on that machine can't be believed to live now; "" when it answers."""
        seen, host = self.members[machine], self.machines[machine]
        if host.at > seen.at and (seen.why or host.etcd() is not None or not _is_on(host)):
            idle = self.idle(machine, ETCD)
            if idle:
                return idle
        return seen.why

    def idle(self, machine: str, unit: str) -> str:
        """Why that unit surely serves nobody now, as its machine says; "" when it may, or nothing is known."""
        host = self.machines[machine]
        if host.status is None or host.why:
            return ""
        if not _is_on(host):
            return f"{machine} is {host.status.power}"
        status = host.status.units.get(unit)
        if status is None:
            return f"{unit} is not set up here"
        if status.state == "failed":
            return f"{unit} failed: {status.exit}" if status.exit else f"{unit} failed"
        return f"{unit} is {status.state}" if status.state in ("paused", "stopped") else ""

    def living(self) -> dict[str, Status]:
        """The statuses of the members that answer, by machine."""
        return {
            machine: seen.status
            for machine, seen in self.members.items()
            if seen.status is not None and not self.silence(machine)
        }

    def home(self, member: Member) -> str:
        """The machine that a member belongs to: where it was met, else where its URLs point, else by its name."""
        if member.id in self.homes:
            return self.homes[member.id]
        hosts = {urlsplit(url).hostname for url in (*member.peer_urls, *member.client_urls)}
        for machine, address in self.addresses.items():
            if address in hosts:
                return machine
        return member.name if member.name in self.addresses else ""

    def is_secured(self, machine: str) -> bool:
        """Whether the member of that machine asks for certificates."""
        unit = self.machines[machine].etcd()
        return unit is not None and is_secured(unit.spec)

    def kubelet(self) -> Literal["", "kwok", "kubelet"]:
        """What stands for the kubelet on the machines that have one."""
        for seen in self.machines.values():
            unit = seen.status.units.get(KUBELET) if seen.status is not None else None
            if unit is not None and unit.spec is not None and unit.spec.argv:
                return "kwok" if PurePath(unit.spec.argv[0]).name == "kwok" else "kubelet"
        return ""

    def etcd_exists(self) -> bool:
        """Whether any machine has etcd set up, as far as is known."""
        unseen = any(seen.status is None for seen in self.machines.values())
        return unseen or any(seen.etcd() is not None for seen in self.machines.values()) or bool(self.living())

    def forget_cluster(self) -> None:
        """Drop all that was known of the cluster: no machine has an etcd any more."""
        self.roster = None
        self.homes.clear()
        for seen in self.members.values():
            seen.status = None
            seen.latencies.clear()


def _is_on(host: MachineSighting) -> bool:
    return host.status is None or host.status.power in ("up", "stopping")
