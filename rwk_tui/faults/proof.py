"""The proof: what a fault did and whether what must hold did hold, gathered once the lab is well again."""

from __future__ import annotations

import asyncio

from rwk_tui.board.card_row import EQUAL, KEPT, MONOTONIC, ONE_HOLDER, CardRow, Invariant, Outage, Takeover, Verdict
from rwk_tui.board.kube_rows import LeaseRow
from rwk_tui.board.rows import QuorumRow
from rwk_tui.board.wording import seconds, stood_still
from rwk_tui.faults.course import Course
from rwk_tui.faults.ground import Ground
from rwk_tui.watch.gaps import Gap, longest
from rwk_tui.watch.known_bugs import known_bug, versions_that_run
from rwk_tui.watch.verdict import Verdict as WriteVerdict
from rwk_tui.watch.watcher import Watcher

PATIENCE = 10.0
"""Seconds for which a check that could not be made is tried again."""


async def prove(course: Course, healed: float, well_ms: float | None) -> CardRow:
    """The card of a fault, not numbered yet; `well_ms` is None where the lab did not get well in time."""
    ground, row = course.case.ground, course.row
    watcher, since = ground.watcher, row.since
    verdict = await _verify(course)
    invariants = (
        _kept(verdict),
        _monotonic(ground, since),
        await _equal(watcher),
        *([_one_holder(watcher, since)] if ground.hub.board.holds(LeaseRow) else []),
    )
    election = next((one for one in watcher.elections if one.at > since), None)
    return CardRow(
        seen_at=ground.hub.now(),
        number=0,
        fault=row.fault,
        domain=course.kind.domain,
        title=course.kind.title,
        target=row.target,
        text=row.text,
        injected=since,
        healed=healed,
        effect=course.sight.words if course.sight else "",
        effect_ms=course.sight_ms,
        outages=(
            *_outage("etcd", watcher.canary.gaps(since)),
            *_outage("api", watcher.api_canary.gaps(since)),
        ),
        elected=election.leader if election else "",
        election_ms=round((election.at - since) * 1000, 1) if election and not election.graceful else None,
        election_resolution_ms=round(election.resolution_ms, 1) if election else 0.0,
        takeovers=tuple(
            Takeover(lease=one.lease, machine=one.machine, ms=round(one.ms, 1), resolution_ms=one.resolution_ms)
            for one in watcher.takeovers(since)
        ),
        pods_replaced=watcher.pods_replaced(since),
        well_ms=round(well_ms, 1) if well_ms is not None else None,
        acknowledged=verdict.acknowledged,
        invariants=invariants,
        evidence=(*(course.sight.evidence if course.sight else ()), *await _gone(course)),
        verdict=_judge(invariants, well=well_ms is not None),
    )


async def _verify(course: Course) -> WriteVerdict:
    """Ask for every acknowledged write, again where nobody could answer just now."""
    ground = course.case.ground
    deadline = ground.hub.now() + ground.within(PATIENCE)
    while True:
        verdict = await ground.watcher.canary.verify()
        quorum = ground.hub.board.get(QuorumRow, "quorum")
        hopeless = quorum is None or quorum.state in ("none", "lost")
        if verdict.done or hopeless or ground.hub.now() >= deadline:
            return verdict
        await asyncio.sleep(0.2)


async def _gone(course: Course) -> tuple[str, ...]:
    """Where the healing went back to an older state: how many acknowledged writes that lost, which is no violation."""
    ground = course.case.ground
    if not course.kind.loses:
        return ()
    deadline = ground.hub.now() + ground.within(PATIENCE)
    while True:
        counted = ground.watcher.canary.aftermath
        if counted is not None and (not counted.why or ground.hub.now() >= deadline):
            return (counted.words("from the disks that are left"),)
        if ground.hub.now() >= deadline:
            return ()
        await asyncio.sleep(0.1)


def in_words(card: CardRow) -> str:
    """The card in one line, for the timeline."""
    parts = [f"well again after {seconds(card.well_ms)}" if card.well_ms is not None else "NOT well again"]
    parts += [f"{one.of} writes stopped for {seconds(one.ms)}{stood_still(one.still_ms)}" for one in card.outages]
    if card.election_ms is not None:
        parts.append(f"{card.elected} elected after {seconds(card.election_ms)}")
    parts += [f"{one.lease} moved to {one.machine} after {seconds(one.ms)}" for one in card.takeovers]
    if card.pods_replaced:
        parts.append(f"{card.pods_replaced} pods replaced")
    parts += [f"VIOLATED: {one.name}: {one.saw}" for one in card.broken]
    parts += [f"KNOWN: {one.name}: {one.words}" for one in card.known]
    parts += [one.saw for one in card.invariants if one.holds is not False]
    return f"{card.text}: {', '.join(parts)}"


def _outage(of: str, gaps: list[Gap]) -> tuple[Outage, ...]:
    outage = longest(gaps)
    if outage is None:
        return ()
    resolution_ms, still_ms = round(outage.resolution * 1000, 1), round(outage.still_ms, 1)
    return (Outage(of=of, ms=round(outage.ms, 1), resolution_ms=resolution_ms, still_ms=still_ms),)


def _kept(verdict: WriteVerdict) -> Invariant:
    if not verdict.done:
        return Invariant(name=KEPT, holds=None, saw=verdict.words())
    return Invariant(
        name=KEPT, holds=verdict.lost == 0, saw=verdict.words(), evidence=verdict.missing, known=verdict.known
    )


def _monotonic(ground: Ground, since: float) -> Invariant:
    backward = ground.watcher.canary.backward(since)
    saw = f"{len(backward)} went back" if backward else "revisions only grew"
    known = known_bug("revision went back", versions_that_run(ground.hub.board)) if backward else ""
    return Invariant(name=MONOTONIC, holds=not backward, saw=saw, evidence=tuple(backward), known=known)


async def _equal(watcher: Watcher) -> Invariant:
    hashes = await watcher.hashes()
    evidence: tuple[str, ...] = ()
    if hashes.equal is False:
        evidence = (await watcher.differences()).lines()
    return Invariant(name=EQUAL, holds=hashes.equal, saw=hashes.words(), evidence=evidence, known=hashes.known)


def _one_holder(watcher: Watcher, since: float) -> Invariant:
    early = watcher.early_takeovers(since)
    saw = f"{len(early)} taken before they ran out" if early else "each lease had one holder at a time"
    return Invariant(name=ONE_HOLDER, holds=not early, saw=saw, evidence=tuple(early))


def _judge(invariants: tuple[Invariant, ...], *, well: bool) -> Verdict:
    ends = {one.verdict for one in invariants}
    if "violated" in ends:
        return "violated"
    if not well:
        return "not well"
    if "known" in ends:
        return "known"
    return "holds" if invariants[0].holds else "not checked"
