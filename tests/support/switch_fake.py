"""Machines that exist on paper only, behind the switch that would start and stop them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path

from rwk_tui.board.rows import Power
from rwk_tui.lab.protocol import Ability, MachineVerb, Narrator
from rwk_tui.lab.remote.login import Login

NAMES = ("core-01", "core-02", "core-03")


def closed_port() -> int:
    """A port of this computer where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class FakeSwitch:
    """Notes what it is asked; its machines exist on paper only."""

    def __init__(self, key: Path, *, owns_power: bool = True) -> None:
        self.owns_power = owns_power
        self.truth: dict[str, Power | None] = dict.fromkeys(NAMES, "up")
        self.made: dict[str, Power] = {}
        self.asked: list[str] = []
        self.begun = asyncio.Event()
        self.hang = asyncio.Event()
        self._login = Login("127.0.0.1", closed_port(), "nobody", (key,))

    async def start(self, machine: str) -> None:
        self.asked.append(f"start {machine}")
        self.begun.set()
        await self.hang.wait()

    async def stop(self, machine: str) -> None:
        self.asked.append(f"stop {machine}")
        self.begun.set()
        await self.hang.wait()

    async def kill(self, machine: str) -> None:
        self.asked.append(f"kill {machine}")

    async def destroy(self, machine: str) -> None:
        self.asked.append(f"destroy {machine}")

    async def login(self, machine: str) -> Login:
        return self._login

    async def look(self, machine: str) -> Power | None:
        self.asked.append(f"look {machine}")
        return self.truth[machine]

    async def exists(self) -> Mapping[str, Power]:
        return self.made

    def address(self, machine: str) -> str:
        return f"127.0.0.{machine[-1]}"

    def show(self, verb: MachineVerb, machine: str) -> str:
        return f"{verb} {machine}"

    def show_on(self, command: str, machine: str) -> str:
        return f"ssh {machine} {command}"

    def lacks(self, ability: Ability) -> str:
        return "no power cut here" if ability == "power cut" and not self.owns_power else ""

    def narrate(self, tell: Narrator, complain: Narrator) -> None: ...

    async def close(self) -> None: ...
