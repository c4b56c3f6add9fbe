"""Faults of the network that separate machines which all run on: one from the others, in one direction, into camps."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, QuorumRow
from rwk_tui.board.targets import MACHINES, target_machines
from rwk_tui.faults import network_wishes as wishes
from rwk_tui.faults import sights
from rwk_tui.faults.base import Case, Fault, Sight
from rwk_tui.faults.reads import answers
from rwk_tui.lab.protocol import Link

SILENCE = 1.0
"""Seconds without an answer after which a member counts as cut off from those that it must ask."""


class LinkFault(Fault):
    """What faults of links have in common: name and target say what each wants of which links."""

    domain = "network"
    volatile = True

    def links(self, case: Case) -> list[Link]:
        """The links that it lies on."""
        links = case.ground.lab.links
        return [link for link in links if wishes.lies_on(case.target, link.source, link.target)]

    async def bring(self, case: Case) -> None:
        """Bring its links into the state that it and all other active faults want now. Raises LabError."""
        hub = case.ground.hub
        others = [row for row in hub.board.rows(FaultRow) if row.id != case.id]
        own = FaultRow(seen_at=case.at, id=case.id, fault=self.name, target=case.target, since=case.at, text="")
        await wishes.apply(self.links(case), [*others, own], hub.now())

    async def inject(self, case: Case) -> None:
        await self.bring(case)

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        """Bring its links into the state that the faults want which stay."""
        await wishes.apply(self.links(case), others, case.ground.hub.now())

    def holds(self, board: Board, target: str) -> bool:
        machines = sights.untouched(board, target_machines(target))
        return all(not sights.machine_is_up(board, name) or sights.machine_is_well(board, name) for name in machines)


class MachineLinks(LinkFault):
    """A fault of all links of one machine, in both directions."""

    def targets(self, board: Board) -> tuple[str, ...]:
        up = sights.machines_up(board)
        return tuple(name for name in up if any(link.state == "open" for link in wishes.links_on(board, name)))

    def of_leader(self, machine: str) -> str:
        return machine


class Partition(MachineLinks):
    """Both directions of all links of one machine are cut."""

    name = wishes.PARTITION
    title = "Cut off a machine"
    explain = "It runs on, but reaches no other machine and none reaches it. A cut leader steps down by itself."
    look = "The links are cut. The two that still reach each other agree without the third."
    must = "Whoever is alone acknowledges nothing; no acknowledged write is lost; healed, it follows again."

    def done(self, target: str) -> str:
        return f"{target} was cut off from the others"

    def undone(self, target: str) -> str:
        return f"the links of {target} are open"

    async def shows(self, case: Case) -> Sight | None:
        return await separation(case, _apart(case.target), f"all links of {case.target} are cut")


class OneWay(LinkFault):
    """The links of one machine are cut in one direction only: it is mute, or deaf."""

    name = wishes.ONE_WAY
    title = "Cut one direction only"
    explain = "What a machine sends is lost and it still hears the others, or the other way round."
    look = "A mute leader is replaced though it hears everyone; a deaf member knows no leader and disturbs nobody."
    must = "There is never more than one leader whom a majority follows; no acknowledged write is lost."

    def targets(self, board: Board) -> tuple[str, ...]:
        up = set(sights.machines_up(board))
        ways = [way for name in MACHINES if name in up for way in (_mute(name), _deaf(name))]
        return tuple(way for way in ways if any(link.state == "open" for link in wishes.links_on(board, way)))

    def of_leader(self, machine: str) -> str:
        return _mute(machine)

    def done(self, target: str) -> str:
        machine, is_mute = _way(target)
        return f"what {machine} sends is lost" if is_mute else f"{machine} hears nobody"

    def undone(self, target: str) -> str:
        machine, is_mute = _way(target)
        return f"{machine} is heard again" if is_mute else f"{machine} hears the others again"

    async def shows(self, case: Case) -> Sight | None:
        machine, is_mute = _way(case.target)
        words = f"nothing from {machine} gets through" if is_mute else f"nothing gets through to {machine}"
        return await separation(case, case.target, words)


class Split(LinkFault):
    """The machines fall apart into camps."""

    name = wishes.SPLIT
    title = "Split the network"
    explain = "The machines fall apart into camps that don't reach each other. All of them run."
    look = "A camp with a majority goes on, others stand still. Where each is alone, there is no quorum at all."
    must = "At most one camp acknowledges anything; no acknowledged write is lost; healed, they agree on one leader."

    def targets(self, board: Board) -> tuple[str, ...]:
        camps = (*(_apart(name) for name in MACHINES), "|".join(MACHINES))
        up = sights.machines_up(board)
        if len(up) < len(MACHINES):
            return ()
        return tuple(target for target in camps if all(link.state == "open" for link in wishes.links_on(board, target)))

    def of_leader(self, machine: str) -> str:
        return _apart(machine)

    def done(self, target: str) -> str:
        if len(wishes.groups(target)) == len(MACHINES):
            return "no machine reaches any other"
        return f"the network fell apart: {' against '.join(' and '.join(camp) for camp in wishes.groups(target))}"

    def undone(self, target: str) -> str:
        return "all machines reach each other again"

    async def shows(self, case: Case) -> Sight | None:
        camps = wishes.groups(case.target)
        words = "no machine reaches any other" if len(camps) == len(MACHINES) else "the camps are apart"
        return await separation(case, case.target, words)


async def separation(case: Case, target: str, words: str) -> Sight | None:
    """What probes see of machines that are apart: links that are cut, and members that miss a majority."""
    board = case.ground.hub.board
    links = wishes.links_on(board, target)
    if not links or any(link.state != "cut" for link in links):
        return None
    found = [words]
    for machine in _lonely(board, target):
        row = sights.member(board, machine)
        if row is None or row.health == "down":
            continue
        if row.health == "no leader":
            found.append(f"{machine} {row.why}")
        elif not await answers(case, machine, SILENCE):
            found.append(f"a read through {machine} is not answered within {SILENCE:g} s")
        else:
            return None
    quorum = board.get(QuorumRow, "quorum")
    if quorum is not None and quorum.state == "lost":
        found = [words, quorum.why]
    return Sight("; ".join(found))


def _lonely(board: Board, target: str) -> list[str]:
    """The machines whose members can't reach a majority: those of small camps, or the one that is mute or deaf."""
    voters = sights.voting(board)
    if len(voters) < 2:
        return []
    if ">" in target:
        machine = _way(target)[0]
        return [machine] if machine in voters else []
    camps = [[name for name in camp if name in voters] for camp in wishes.groups(target)]
    return [name for camp in camps if 2 * len(camp) <= len(voters) for name in camp]


def _others(machine: str) -> str:
    return "+".join(name for name in MACHINES if name != machine)


def _mute(machine: str) -> str:
    return f"{machine}>{_others(machine)}"


def _deaf(machine: str) -> str:
    return f"{_others(machine)}>{machine}"


def _apart(machine: str) -> str:
    return f"{machine}|{_others(machine)}"


def _way(target: str) -> tuple[str, bool]:
    """The machine that is cut in one direction, and whether that is the one in which it speaks."""
    speaks, hears = wishes.groups(target)
    return (speaks[0], True) if len(speaks) == 1 else (hears[0], False)
