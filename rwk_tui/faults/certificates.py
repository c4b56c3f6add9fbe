"""Faults of certificates: the member runs, and nobody believes that it is who it says."""

from __future__ import annotations

import asyncio
import datetime
from abc import abstractmethod
from typing import ClassVar

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import Domain
from rwk_tui.board.rows import FaultRow, UnitRow
from rwk_tui.cluster import roles
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.files import File, PutOp, certificates
from rwk_tui.cluster.ops import UnitOp
from rwk_tui.cluster.pki import foreign
from rwk_tui.cluster.roles import Papers
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Sight, Stage, machine_of
from rwk_tui.faults.disk import MemberFault
from rwk_tui.faults.last_words import complaint, entries
from rwk_tui.faults.members import require_up, victim, votes_again
from rwk_tui.lab.protocol import Machine

SERVED = ("server", "peer")
"""The files of what a member shows: to its clients, and to its peers."""
SETTLES_WITHIN = 5.0
TELLS_WITHIN = 5.0
"""Seconds in which a peer should have said what is wrong; TLS tells the refused side no more than "bad certificate"."""
"""Seconds after which a member with good certificates is healthy, or has ended."""
X509 = "x509: "
"""How Go's words about a certificate begin, behind who found it out and when."""
AGO = datetime.timedelta(hours=1)


class BadCertificate(MemberFault):
    """What faults have in common that give a member certificates which the others refuse."""

    domain: ClassVar[Domain] = "certificates"
    stage: ClassVar[Stage] = "secured"
    well_within = 60.0
    words: ClassVar[str]
    """What kind of certificates it gets."""
    marks: ClassVar[tuple[str, ...]]
    """How those complain who refuse it."""

    def targets(self, board: Board) -> tuple[str, ...]:
        return tuple(
            f"{row.machine}/{UNIT}"
            for row in board.rows(UnitRow)
            if row.unit == UNIT
            and row.state == "running"
            and any(name == "ETCD_CERT_FILE" for name, _ in row.environment)
            and sights.machine_is_up(board, row.machine)
        )

    def undone(self, target: str) -> str:
        return f"the member of {machine_of(target)} gets good certificates"

    def seen(self, target: str) -> tuple[tuple[str, str], ...]:
        return ((f"unit/{target}", "running"),)

    async def inject(self, case: Case) -> None:
        machine = victim(case)
        papers = _served(machine)
        pairs = await asyncio.to_thread(self.make, case, papers)
        files = tuple(
            file
            for one, (cert, key) in zip(papers, pairs, strict=True)
            for file in (_file(one, "crt", cert, 0o644), _file(one, "key", key, 0o600))
        )
        ops = (PutOp(machine, files, self.words), UnitOp(machine, UNIT, "restart"))
        await case.ground.do(self.title, ops)

    @abstractmethod
    def make(self, case: Case, papers: tuple[Papers, ...]) -> list[tuple[bytes, bytes]]:
        """The certificates and keys to take the place of those papers'. Raises LabError."""

    async def shows(self, case: Case) -> Sight | None:
        """That no peer can reach it, and why: in the words of a peer that refuses it, after some seconds in its own."""
        machine = machine_of(case.target)
        row = sights.member(case.ground.hub.board, machine)
        if row is None or (row.health == "healthy" and row.fresh):
            return None
        ground = case.ground
        others = [other for other in ground.members() if other.name != machine]
        logs = {other.name: await entries(other.unit(UNIT)) for other in (*others, victim(case))}
        waited = ground.hub.now() - case.at > ground.within(TELLS_WITHIN)
        for marks in ((X509,), self.marks) if waited else ((X509,),):
            for name, log in logs.items():
                if why := complaint(log, marks, case.at):
                    return Sight(f"{machine} is {row.health}; {name} says: {_plainly(why)}")
        return None

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        """Put good ones in their place. No restart: they are read for each connection, if it runs."""
        ground, machine = case.ground, victim(case)
        await require_up(machine)
        papers = _served(machine)
        for one in papers:
            await asyncio.to_thread(roles.issue, ground.site.pki, one, anew=True)
        put = PutOp(machine, certificates(ground.site.pki, papers), "new certificates of our own authority")
        await ground.do("Give it good certificates", [put])
        if await self._fell(case):
            await ground.do("Start it again", [UnitOp(machine, UNIT, "start")])

    async def _fell(self, case: Case) -> bool:
        """Whether it does not run: who starts between certificate and key sees two that don't belong together."""
        ground, machine = case.ground, victim(case)
        asked = ground.hub.now()

        def tells(board: Board) -> bool:
            row, unit = sights.member(board, machine.name), sights.unit(board, case.target)
            well = row is not None and row.fresh and row.seen_at > asked and row.health == "healthy"
            return well or (unit is not None and unit.seen_at > asked and unit.state in ("failed", "stopped"))

        await ground.hub.wait(tells, ground.within(SETTLES_WITHIN))
        return (await machine.unit(UNIT).status()).state in ("failed", "stopped")

    def persists(self, board: Board, target: str) -> bool:
        return not votes_again(board, machine_of(target))

    def is_over(self, board: Board, target: str, since: float) -> bool:
        row = sights.member(board, machine_of(target))
        if row is None:
            return sights.unit_left(board, target, since, "running", "paused", "stopped", "failed")
        return row.fresh and row.seen_at > since and row.health == "healthy"


class ExpiredCertificate(BadCertificate):
    """Nobody renewed its certificates in time."""

    name = "expired-certificate"
    title = "Let its certificates expire"
    explain = "Its certificates ended an hour ago. It is restarted, as after a reboot at night."
    look = "It runs and reaches nobody: peers and clients refuse it, and say why in their logs."
    must = "The other two go on. With new certificates it is let in again, without a restart: they are read each time."
    words = "certificates that ended an hour ago"
    marks = ("certificate has expired", "expired certificate")

    def done(self, target: str) -> str:
        return f"the certificates of {machine_of(target)} expired"

    def make(self, case: Case, papers: tuple[Papers, ...]) -> list[tuple[bytes, bytes]]:
        return case.ground.site.pki.expired("etcd", [one.identity for one in papers], ago=AGO)


class ForeignCertificate(BadCertificate):
    """Its certificates were rotated before anybody else trusts the new authority."""

    name = "foreign-certificate"
    title = "Rotate in the wrong order"
    explain = "It gets certificates of a new authority, before the others have been told to trust that."
    look = "It runs and reaches nobody: nobody knows who signed. First trust the new authority, then show its papers."
    must = "Nobody believes it for its name alone; the other two go on. With known certificates it is let in again."
    words = "certificates of an authority that nobody else knows"
    marks = ("signed by unknown authority", "unknown certificate authority", "bad certificate")

    def done(self, target: str) -> str:
        return f"the certificates of {machine_of(target)} were replaced by an unknown authority's"

    def make(self, case: Case, papers: tuple[Papers, ...]) -> list[tuple[bytes, bytes]]:
        return foreign("rwk next etcd authority", [one.identity for one in papers])


def _plainly(why: str) -> str:
    """Only what is wrong with the certificate, where that stands at the end of a longer story."""
    before, mark, what = why.partition(X509)
    return (mark + what).removesuffix(")" if "(" in before else "") if mark else why


def _served(machine: Machine) -> tuple[Papers, ...]:
    return tuple(one for one in roles.etcd_member(machine) if one.file in SERVED)


def _file(papers: Papers, ending: str, content: bytes, mode: int) -> File:
    return File(f"pki/{papers.authority}/{papers.file}.{ending}", lambda: content, mode)
