"""Faults of the network that come and go: connections that break, and links that flap."""

from __future__ import annotations

import asyncio
import time

from rwk_tui.board.board import Board
from rwk_tui.board.rows import MemberRow
from rwk_tui.faults import network_wishes as wishes
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Sight
from rwk_tui.faults.metrics import counted
from rwk_tui.faults.network import MachineLinks
from rwk_tui.faults.reads import answers, can_ask

EVERY = 1.0
"""Seconds between two resets."""
DISCONNECTED = "etcd_network_disconnected_peers_total"
"""How often a member lost a peer, as it counts itself."""
PATIENCE, AGAIN = 0.4, 0.1
"""Seconds that a read may take while a link flaps, and between two of them."""


class Resets(MachineLinks):
    """Every connection of one machine is broken, again and again; new ones are let through."""

    name = wishes.RESETS
    title = "Break its connections"
    explain = "About every second each connection from and to the machine is reset. New ones are let through at once."
    look = "Members lose each other and dial again. Clients see errors that are gone at the second try."
    must = "A broken connection is no dead machine: writes go on, and none that was acknowledged is lost."

    def targets(self, board: Board) -> tuple[str, ...]:
        """Only where a member has peers: elsewhere nobody could see it."""
        peers = {row.machine for row in board.rows(MemberRow) if row.health == "healthy"}
        return tuple(name for name in super().targets(board) if name in peers and len(peers) > 1)

    def done(self, target: str) -> str:
        return f"the connections of {target} break again and again"

    def undone(self, target: str) -> str:
        return f"the connections of {target} hold"

    async def inject(self, case: Case) -> None:
        await asyncio.gather(*(link.reset() for link in self.links(case)))

    async def keep_up(self, case: Case) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.gather(*(link.reset() for link in self.links(case)))

    async def shows(self, case: Case) -> Sight | None:
        board, machine = case.ground.hub.board, case.target
        row = sights.member(board, machine)
        if row is None or row.health == "down":
            return Sight(f"the member of {machine} is down and has no connection that could break")
        if all(link.state == "cut" for link in wishes.links_on(board, machine)):
            return Sight(f"the links of {machine} are cut and carry no connection that could break")
        before = await counted(case.ground, case.target, DISCONNECTED)
        began = time.monotonic()
        await asyncio.sleep(1.5 * EVERY)
        broken = await counted(case.ground, case.target, DISCONNECTED) - before
        took = time.monotonic() - began
        return Sight(f"{case.target} lost its peers {broken:.0f} times in {took:.1f} s") if broken > 0 else None


class Flapping(MachineLinks):
    """All links of one machine are cut and open in turn."""

    name = wishes.FLAPPING
    title = "Let its links flap"
    explain = f"All links of the machine are cut for {wishes.PERIOD:g} s, open for as long, cut again, and so on."
    look = "The member is missed and comes back, over and over. If it led, it is replaced."
    must = "The others go on: a member that comes back asks before it disturbs (pre-vote). Nothing is lost."

    def done(self, target: str) -> str:
        return f"the links of {target} flap"

    def undone(self, target: str) -> str:
        return f"the links of {target} stay open"

    async def keep_up(self, case: Case) -> None:
        """Do at each turn what all active faults want then; the time since the injection says whose turn it is."""
        while True:
            past = (case.ground.hub.now() - case.at) % wishes.PERIOD
            await asyncio.sleep(wishes.PERIOD - past + 0.01)
            await self.bring(case)

    async def shows(self, case: Case) -> Sight | None:
        """Whether what is asked through it is answered and not answered within one time there and back."""
        if not can_ask(case, case.target):
            return await self._flaps(case)
        deadline = time.monotonic() + 2.5 * wishes.PERIOD
        silent = 0.0
        while time.monotonic() < deadline:
            began = time.monotonic()
            if not await answers(case, case.target, PATIENCE):
                silent = silent or began
            elif silent:
                words = f"reads through {case.target} were not answered for {began - silent:.1f} s, and then were"
                return Sight(words)
            await asyncio.sleep(AGAIN)
        return None

    async def _flaps(self, case: Case) -> Sight | None:
        """Where no etcd could feel it: the links were seen cut and open."""
        seen: set[bool] = set()

        def both(board: Board) -> bool:
            others = [name for name in case.ground.lab.machines if name != case.target]
            seen.update(sights.link_is_cut(board, case.target, name) for name in others)
            return len(seen) == 2

        if await case.ground.hub.wait(both, 2.5 * wishes.PERIOD):
            return Sight(f"the links of {case.target} were cut and open in turn")
        return None
