"""A three-member etcd cluster on a lab, for tests of the lab itself: nothing of the cluster's room is used."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.lab import eventually, output

from rwk_tui.engines.find import find_engines
from rwk_tui.lab.protocol import Lab, Listen, Machine, UnitSpec
from rwk_tui.settings import load_settings

NAMES = ("etcd", "etcdctl")


def engines() -> dict[str, Path]:
    """The engines that are found on this machine."""
    chosen = os.environ.get("RWK_ENGINES")
    if chosen:
        return {name: Path(chosen) / name for name in NAMES}
    return {name: engine.path for name, engine in find_engines(NAMES, load_settings()).items()}


async def start_three(lab: Lab) -> float:
    """Configure and start a member on each machine; seconds until all three are healthy."""
    initial = ",".join(f"{name}={machine.url(2380)}" for name, machine in lab.machines.items())
    started = time.monotonic()
    for name, machine in lab.machines.items():
        environment = {
            "ETCD_NAME": name,
            "ETCD_DATA_DIR": f"{machine.data}/etcd",
            "ETCD_LISTEN_PEER_URLS": ",".join(machine.listen_urls(2380, public=True)),
            "ETCD_LISTEN_CLIENT_URLS": ",".join(machine.listen_urls(2379, public=True)),
            "ETCD_INITIAL_ADVERTISE_PEER_URLS": machine.url(2380),
            "ETCD_ADVERTISE_CLIENT_URLS": machine.url(2379),
            "ETCD_INITIAL_CLUSTER": initial,
            "ETCD_HEARTBEAT_INTERVAL": "100",
            "ETCD_ELECTION_TIMEOUT": "1000",
        }
        listens = (Listen(2379, True), Listen(2380, True))
        spec = UnitSpec("etcd", ("etcd",), tuple(environment.items()), listens)
        await machine.unit("etcd").configure(spec)
    first, *others = lab.machines.values()
    await first.unit("etcd").start()
    # Members that start in the same instant ask each other whether the cluster exists, and all wait 2 s for an answer.
    await asyncio.sleep(0.1)
    await asyncio.gather(*(machine.unit("etcd").start() for machine in others))
    await eventually(lambda: healthy(lab.machines["core-01"], *lab.machines.values()), 30, "three healthy members")
    return time.monotonic() - started


async def etcdctl(machine: Machine, *argv: str, at: tuple[Machine, ...] = ()) -> tuple[int, str]:
    """Run etcdctl on a machine, at its own member unless others are named: exit code and what it printed."""
    own = machine.listen_urls(2379, public=False)[0]
    endpoints = ",".join(other.url(2379) for other in at) or own
    run = await machine.run(["etcdctl", "--endpoints", endpoints, "--command-timeout", "2s", *argv])
    code, out, err = await output(run)
    return code, "\n".join(out or err)


async def healthy(machine: Machine, *members: Machine) -> bool:
    """Whether these members, asked from that machine, answer."""
    code, _ = await etcdctl(machine, "endpoint", "health", at=members)
    return code == 0


async def status(machine: Machine) -> dict[str, Any]:
    """What a member says about itself to its own machine; {} if nothing."""
    code, text = await etcdctl(machine, "endpoint", "status", "-w", "json")
    return dict(json.loads(text)[0]["Status"]) if code == 0 else {}


async def leader(*members: Machine) -> str:
    """The machine that these members all take for the leader, themselves in the newest term; "" if none."""
    found = [await status(member) for member in members]
    if not all(found) or len({(s.get("leader", 0), s.get("raftTerm", 0)) for s in found}) != 1:
        return ""
    id_ = found[0].get("leader", 0)
    return next((m.name for m, s in zip(members, found, strict=True) if s["header"]["member_id"] == id_), "")


async def until_leader(*members: Machine, accept: Callable[[str], bool] = bool, deadline: float = 15) -> str:
    """Wait for a leader that all of them agree on."""
    name = ""

    async def there() -> bool:
        nonlocal name
        name = await leader(*members)
        return accept(name)

    await eventually(there, deadline, "a leader")
    return name
