"""Strikes a lab that is held with one fault: injects it, waits until it is seen, heals it, and waits for its card."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.kube_rows import DeploymentRow, KubeRow, LeaseRow, NodeRow
from rwk_tui.board.rows import CanaryRow, FaultKindRow, FaultRow, QuorumRow
from rwk_tui.board.targets import confirmation
from rwk_tui.daemon.client import CommandRefused
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.protocol import Heal, Inject, Open
from rwk_tui.faults.base import Stage
from rwk_tui.story.fault_story import BARE

READY_WITHIN, SEEN_WITHIN, CARD_WITHIN, HEALED_WITHIN = 120.0, 30.0, 120.0, 90.0
"""Seconds until all is well before a fault, until a probe sees it, until its card is there, until it can be healed."""


AIM_WITHIN = 30.0
"""Seconds until a kind of fault must have something that it can hit."""


class NotStruck(Exception):
    """Something did not come about in time, in one line with what was seen last."""


class Striker:
    """Strikes one lab; everything raises NotStruck, or DaemonError if the daemon goes."""

    def __init__(self, lab: Follower, stage: Stage) -> None:
        self._lab = lab
        self._stage: Stage = stage
        self.injected = 0
        """How many faults were injected."""

    async def build(self) -> dict[str, FaultKindRow]:
        """Build the lab from nothing; the kinds of faults that there are, by name."""
        try:
            await self._lab.do(Open(chapter=f"{BARE}{self._stage}"))
            await self._lab.until(lambda board: not board.story.busy)
        except CommandRefused as refusal:
            raise NotStruck(str(refusal)) from refusal
        if self._lab.board.story.error:
            raise NotStruck(self._lab.board.story.error)
        await self.ready()
        return {row.name: row for row in self._lab.board.rows(FaultKindRow)}

    async def ready(self) -> None:
        """Wait until all is well, so that the next fault hits the same lab whatever came before."""
        await self._until(self._is_ready, READY_WITHIN, "the lab is not well")

    async def kind(self, fault: str, within: float = AIM_WITHIN) -> FaultKindRow | None:
        """A kind of fault, as soon as there is something that it can hit; None if there is nothing within that (s)."""

        def row() -> FaultKindRow | None:
            return self._lab.board.get(FaultKindRow, f"fault-kind/{fault}")

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._lab.until(lambda _: (kind := row()) is not None and bool(kind.targets))
        kind = row()
        return kind if kind is not None and kind.targets else None

    async def inject(self, fault: str, target: str) -> None:
        """Inject a fault into a target, whose machines are named where that is asked for."""
        row = await self.kind(fault)
        if not target or row is None:
            raise NotStruck(f"{fault} can't be aimed at anything now")
        try:
            await self._lab.do(Inject(fault=fault, target=target, confirm=confirmation(target) if row.confirm else ""))
        except CommandRefused as refusal:
            raise NotStruck(f"{fault} could not be injected: {refusal}") from refusal
        self.injected += 1

    async def seen(self) -> None:
        """Wait until probes see every active fault."""
        await self._until(_all_seen, SEEN_WITHIN, "no probe saw it")

    async def heal(self, after: int) -> list[CardRow]:
        """Heal everything, again and again where it can't be done at once; the cards with numbers above `after`.

        A fault that is over already, because another one took its place, gets none.
        """
        cards = len(self._lab.board.rows(FaultRow)) + len(self.cards(after))
        deadline = time.monotonic() + HEALED_WITHIN
        while self._lab.board.rows(FaultRow):
            await self._lab.do(Heal(fault="all"))
            if time.monotonic() > deadline:
                left = ", ".join(row.text for row in self._lab.board.rows(FaultRow))
                raise NotStruck(f"not healed within {HEALED_WITHIN:g} s: {left}")
            await asyncio.sleep(0.1)
        await self._until(lambda _: len(self.cards(after)) >= cards, CARD_WITHIN, "no card came")
        return self.cards(after)

    @property
    def newest(self) -> int:
        """The number of the newest card, 0 if there is none."""
        return max((card.number for card in self._lab.board.rows(CardRow)), default=0)

    def cards(self, after: int) -> list[CardRow]:
        """The cards with numbers above that one, oldest first."""
        found = (card for card in self._lab.board.rows(CardRow) if card.number > after)
        return sorted(found, key=lambda card: card.number)

    def _is_ready(self, board: Board) -> bool:
        quorum, canary = board.get(QuorumRow, "quorum"), board.get(CanaryRow, "canary/etcd")
        well = (
            quorum is not None
            and (quorum.state, quorum.voters, quorum.learners) == ("healthy", 3, 0)
            and canary is not None
            and canary.state == "flowing"
        )
        if not well or self._stage != "kubernetes":
            return well
        kube = board.get(KubeRow, "kube")
        return (
            kube is not None
            and kube.state == "ready"
            and all(row.state == "ready" and row.schedulable for row in board.rows(NodeRow))
            and all(row.ready == row.wanted for row in board.rows(DeploymentRow))
            and len([row for row in board.rows(LeaseRow) if row.holder]) >= 2
        )

    async def _until(self, holds: Callable[[Board], bool], seconds: float, what: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._lab.until(holds)
        except TimeoutError:
            raise NotStruck(f"{what} within {seconds:g} s: {_last_seen(self._lab.board)}") from None


def _all_seen(board: Board) -> bool:
    return all(row.effect for row in board.rows(FaultRow))


def _last_seen(board: Board) -> str:
    """What the board says, for whoever waited in vain."""
    quorum, canary = board.get(QuorumRow, "quorum"), board.get(CanaryRow, "canary/etcd")
    words = [f"quorum {quorum.state}, {quorum.reachable} of {quorum.voters} voters" if quorum else "no etcd"]
    words += [f"etcd writes {canary.state}"] if canary else []
    words += [f"{row.text} ({row.effect or 'not seen'})" for row in board.rows(FaultRow)]
    words += [f"{row.name} {row.state}" for row in board.rows(NodeRow) if row.state != "ready"]
    words += [f"{row.name} {row.ready} of {row.wanted}" for row in board.rows(DeploymentRow) if row.ready != row.wanted]
    return ", ".join(words)
