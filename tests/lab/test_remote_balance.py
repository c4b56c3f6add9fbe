"""How the machines' balancers are brought over and told; what they do is tested with real packets elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from rwk_tui.lab.protocol import LabError, MachineDown
from rwk_tui.lab.remote.agent import Done
from rwk_tui.lab.remote.balance import ACKNOWLEDGEMENT, CONFIG, PROGRAM, UNIT_FILE, Balancers


class Box:
    """A machine whose balancer hears what it is told, unless it is deaf."""

    def __init__(self, number: int) -> None:
        self.name = f"core-0{number}"
        self.address = f"10.0.0.{number}"
        self.also: Sequence[str] = ()
        self.files: dict[str, bytes] = {}
        self.ran: list[str] = []
        self.down = False
        self.deaf = False

    async def exec(self, *argv: str, input: bytes = b"", within: float = 10.0) -> Done:
        await self._reach()
        self.ran.append(" ".join(argv))
        if not self.deaf and argv[1] in ("restart", "reload-or-restart"):
            self.files[ACKNOWLEDGEMENT] = json.loads(self.files[CONFIG])["token"].encode()
        return Done(0, "", "")

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        await self._reach()
        self.files[path] = content

    async def get(self, path: str) -> bytes:
        await self._reach()
        if path not in self.files:
            raise LabError(f"no {path}")
        return self.files[path]

    async def _reach(self) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise MachineDown(f"{self.name} is down")

    @property
    def told(self) -> dict[str, object]:
        return dict(json.loads(self.files[CONFIG]))


@pytest.fixture
def boxes() -> dict[str, Box]:
    return {box.name: box for box in map(Box, (1, 2, 3))}


async def test_it_is_brought_over_once_and_started(boxes: dict[str, Box]) -> None:
    balancers, box = Balancers(boxes), boxes["core-01"]
    await balancers.deploy("core-01")
    assert box.ran == [
        "systemctl daemon-reload",
        "systemctl enable rwk-balance.service",
        "systemctl restart rwk-balance.service",
    ]
    assert b"class Balancer" in box.files[PROGRAM] and PROGRAM.encode() in box.files[UNIT_FILE]
    assert box.told["machines"] == {"core-01": "10.0.0.1", "core-02": "10.0.0.2", "core-03": "10.0.0.3"}
    box.ran.clear()
    await balancers.deploy("core-01")
    assert box.ran == ["systemctl reload-or-restart rwk-balance.service"], "nothing is brought that is there"
    box.files[PROGRAM] += b"# of another version"
    await balancers.deploy("core-01")
    assert box.ran[-1] == "systemctl restart rwk-balance.service"


async def test_every_machine_is_told_who_is_ready_and_only_if_that_is_new(boxes: dict[str, Box]) -> None:
    balancers = Balancers(boxes)
    for name in boxes:
        await balancers.deploy(name)
    balancers.steer(["core-01"])
    balancers.steer(["core-02", "core-02"])
    for name, box in boxes.items():
        await balancers.settled(name)
        assert box.told["ready"] == ["core-02"]
    counts = [len(box.ran) for box in boxes.values()]
    balancers.steer(["core-02"])
    for name in boxes:
        await balancers.settled(name)
    assert [len(box.ran) for box in boxes.values()] == counts


async def test_a_machine_is_told_who_is_cut_off_from_it_and_who_is_late(boxes: dict[str, Box]) -> None:
    balancers = Balancers(boxes)
    await balancers.reach("core-01", ["core-03"], {})
    assert not boxes["core-01"].ran, "there is nobody to tell yet"
    await balancers.deploy("core-01")
    assert boxes["core-01"].told["cut_off"] == ["core-03"]
    await balancers.reach("core-01", [], {"core-02": 0.6})
    assert boxes["core-01"].told["cut_off"] == [] and boxes["core-01"].told["late"] == {"core-02": 0.6}


async def test_who_is_down_is_told_when_it_is_back(boxes: dict[str, Box]) -> None:
    balancers, box = Balancers(boxes), boxes["core-01"]
    await balancers.deploy("core-01")
    box.down = True
    balancers.steer(["core-03"])
    await balancers.settled("core-01")
    with pytest.raises(MachineDown):
        await balancers.reach("core-01", ["core-02"], {})
    box.down = False
    await balancers.deploy("core-01")
    assert (box.told["ready"], box.told["cut_off"]) == (["core-03"], ["core-02"])


async def test_one_that_does_not_hear_is_an_error_with_where_to_look(boxes: dict[str, Box]) -> None:
    balancers = Balancers(boxes, heard_within=0.2)
    boxes["core-01"].deaf = True
    with pytest.raises(LabError, match="core-01's balancer does not answer: see journalctl -u rwk-balance"):
        await balancers.deploy("core-01")
