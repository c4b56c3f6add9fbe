"""What a step expects, each asked until it holds or its deadline is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rwk_tui.board.frames import Check as CheckShown
from rwk_tui.board.frames import StepStatus
from rwk_tui.board.rows import CanaryRow
from rwk_tui.board.wording import stood_still
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.ops import OpResult
from rwk_tui.lab.protocol import LabError, UnitStatus
from rwk_tui.story import schema
from rwk_tui.story.context import Context
from rwk_tui.story.etcd_checks import look_at_etcd
from rwk_tui.story.etcd_schema import Aftermath, NewCertificates
from rwk_tui.story.fault_checks import look_at_card, look_at_fault
from rwk_tui.story.fault_schema import CardIs, FaultSeen
from rwk_tui.story.kube_checks import look_at_kube
from rwk_tui.story.kube_schema import is_kube
from rwk_tui.story.look import Look, Seen
from rwk_tui.story.plan import many
from rwk_tui.story.variables import expand
from rwk_tui.watch.known_bugs import known_bug, versions_that_run
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.refusals import EtcdError

PAUSE = 0.1
"""Seconds between two looks."""


@dataclass(slots=True)
class Memory:
    """What the checks of a step need to know about it; times are unix seconds of the hub's clock."""

    began: float
    acted: float = 0.0
    last: OpResult = field(default_factory=OpResult)
    acknowledged: int = -1
    known: list[CheckShown] = field(default_factory=list)
    """What an action waited for and a known bug of the engine kept from coming."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended after `seconds`; `known` says which bug of the engine explains that it does not hold."""

    holds: bool
    saw: str
    seconds: float
    known: str = ""

    @property
    def status(self) -> StepStatus:
        """The state in which the check is from now on."""
        return "passed" if self.holds else "known" if self.known else "failed"

    @property
    def words(self) -> str:
        """What was seen, and of which bug that is known."""
        return f"{self.saw}; {self.known}" if self.status == "known" else self.saw


async def wait_for(
    check: schema.Check, context: Context, memory: Memory, deadline: float, told: Callable[[str], None]
) -> Outcome:
    """Look until the check holds, at most `deadline` seconds; `told` hears what is seen meanwhile."""
    started = time.monotonic()
    before = ""
    async with Look(context) as look:
        while True:
            try:
                seen = await _look(check.what, look, context, memory)
            except (EtcdError, KubeError, LabError, TimeoutError) as error:
                seen = Seen(False, str(error) or "no answer in time")
            seconds = time.monotonic() - started
            if seen.holds or seen.final or seconds >= deadline:
                return Outcome(seen.holds, seen.saw, seconds, seen.known)
            if seen.saw != before:
                told(seen.saw)
                before = seen.saw
            await asyncio.sleep(PAUSE)


async def _look(what: schema.Part, look: Look, context: Context, memory: Memory) -> Seen:
    match what:
        case schema.Members():
            return await _members(what, look)
        case schema.Leader():
            return await _leader(what, look)
        case schema.Quorum():
            return await _quorum(what, look)
        case schema.Key():
            return await _key(what, look)
        case schema.Serving():
            return await _serving(what, look, context)
        case schema.MachineIs():
            powers = {name: (await context.lab.machines[name].status()).power for name in many(what.on)}
            return Seen(set(powers.values()) == {what.power}, ", ".join(f"{n} {p}" for n, p in powers.items()))
        case schema.UnitIs():
            return _unit(what, await context.lab.machines[what.on].unit(what.unit).status(), memory)
        case schema.Writes():
            return _writes(what, context, memory)
        case schema.Gap():
            return _gap(what, context, memory)
        case schema.Lost():
            return await _lost(what, context)
        case schema.OutputIs():
            return _output(what, context, memory)
        case schema.Hashes():
            return await _hashes(what, look, context)
        case Aftermath() | NewCertificates():
            return await look_at_etcd(what, context, memory.began)
        case FaultSeen():
            return look_at_fault(what, context.hub.board, memory.began)
        case CardIs():
            return look_at_card(what, context.hub.board, memory.began)
        case _ if is_kube(what):
            return await look_at_kube(what, context, memory.acted or memory.began)
    raise LabError(f"no such check: {what}")


def _unit(what: schema.UnitIs, status: UnitStatus, memory: Memory) -> Seen:
    saw = f"{status.state} {status.exit}".strip()
    holds = status.state == what.state
    if what.restarted is None:
        return Seen(holds, saw)
    restarted = status.since >= memory.began
    when = "since this step began" if restarted else "from before this step"
    return Seen(holds and restarted == what.restarted, f"{saw} {when}")


async def _serving(what: schema.Serving, look: Look, context: Context) -> Seen:
    alive = (await look.cluster()).with_leader()
    missing = [name for name in many(what.on) if name not in alive]
    words = []
    for name in missing:
        unit = context.lab.machines[name].unit(UNIT)
        status = await unit.status()
        last = [line async for line in unit.log(lines=1)] if status.state == "failed" else []
        words.append(" ".join([name, *(f"({status.exit}: {_said(line)})" for line in last)]))
    return Seen(not missing, f"not serving: {', '.join(words)}" if missing else "serving")


def _said(line: str) -> str:
    """What a line of etcd's log says, without time and place in the code."""
    try:
        entry = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return line[-200:]
    return ": ".join(str(entry[key]) for key in ("msg", "error") if key in entry)[-200:]


async def _members(what: schema.Members, look: Look) -> Seen:
    cluster = await look.cluster()
    voters, learners = cluster.named(learner=False), cluster.named(learner=True)
    healthy = len(cluster.with_leader())
    holds = (
        (what.voters is None or sorted(what.voters) == voters)
        and (what.learners is None or sorted(what.learners) == learners)
        and (what.healthy is None or what.healthy == healthy)
    )
    learning = f", learners {' '.join(learners)}" if learners else ""
    return Seen(holds, f"voters {' '.join(voters) or 'none'}{learning}, {healthy} healthy")


async def _leader(what: schema.Leader, look: Look) -> Seen:
    cluster = await look.cluster()
    leader = cluster.leader() if cluster.with_leader() else ""
    if what.who == "none":
        return Seen(not leader, leader or "no leader")
    holds = bool(leader) and what.who in ("any", leader) and leader != what.other_than
    return Seen(holds, leader or "no leader")


async def _quorum(what: schema.Quorum, look: Look) -> Seen:
    cluster = await look.cluster()
    voters = cluster.named(learner=False)
    there = [name for name in cluster.with_leader() if name in voters]
    needed = len(voters) // 2 + 1
    state = "lost" if not voters or len(there) < needed else "degraded" if len(there) < len(voters) else "healthy"
    return Seen(state == what.state, f"{state}: {len(there)} of {len(voters)} voters, {needed} needed")


async def _key(what: schema.Key, look: Look) -> Seen:
    client = await look.client(what.via)
    try:
        found = await client.get(what.name, serializable=what.read == "serializable", timeout=2.0)
    except EtcdError as error:
        return Seen(not what.answers, str(error))
    saw = "no such key" if found is None else found.value
    if not what.answers:
        return Seen(False, f"it answers: {saw}")
    holds = what.value is msgspec.UNSET or what.value == (None if found is None else found.value)
    return Seen(holds, saw)


def _writes(what: schema.Writes, context: Context, memory: Memory) -> Seen:
    row = _canary(context, what.of)
    if row is None:
        return Seen(False, "no canary writes yet")
    if memory.acknowledged < 0:
        memory.acknowledged = row.acknowledged
    if what.state == "stopped":
        # A canary that itself stopped, paused or without room for its ledger, proves nothing about etcd.
        return Seen(row.state == "failing", f"{row.state}: {row.why}" if row.why else row.state)
    more = row.acknowledged - memory.acknowledged
    return Seen(row.state == "flowing" and more > 0, f"{row.state}, {row.acknowledged} acknowledged")


def _gap(what: schema.Gap, context: Context, memory: Memory) -> Seen:
    row = _canary(context, what.of)
    if row is None or row.state != "flowing" or row.seen_at <= memory.acted + 1.0:
        # Only once writes flow again is the gap as long as it gets.
        return Seen(False, "writes are not flowing" if row is None or row.state != "flowing" else "measuring")
    canary = context.watcher.canary if what.of == "etcd" else context.watcher.api_canary
    # A computer that stood still makes no gap of etcd's: neither one that is too long nor one that is long enough.
    gap = max(canary.gaps(memory.began), key=lambda gap: gap.own_ms, default=None)
    counts = gap.own_ms if gap is not None else 0.0
    above = what.above_ms is None or counts >= what.above_ms
    below = what.below_ms is None or counts <= what.below_ms
    saw = "no gap"
    if gap is not None:
        saw = f"longest gap {gap.ms:.0f} ms ± {gap.resolution * 1000:.0f} ms{stood_still(gap.still_ms)}"
        saw += f"; what counts is {counts:.0f} ms" if gap.still_ms else ""
    return Seen(above and below, saw, final=True)


async def _lost(what: schema.Lost, context: Context) -> Seen:
    verdict = await context.watcher.canary.verify()
    if not verdict.done:
        return Seen(False, f"could not be checked: {verdict.why}")
    saw = f"{verdict.lost} of {verdict.acknowledged} acknowledged writes lost"
    if not verdict.acknowledged:
        return Seen(False, f"{saw}: nothing was written that could be lost")
    return Seen(verdict.lost <= what.most, saw, known=verdict.known)


def _output(what: schema.OutputIs, context: Context, memory: Memory) -> Seen:
    text = f"{memory.last.stdout}\n{memory.last.stderr}"
    missing = [words for words in many(what.contains) if expand(words, context.site) not in text]
    present = [words for words in many(what.lacks) if expand(words, context.site) in text]
    printed = [line for line in text.splitlines() if line.strip()]
    saw = f"{printed[-1][:120]}" if printed else "nothing"
    return Seen(not missing and not present, saw, final=True)


async def _hashes(what: schema.Hashes, look: Look, context: Context) -> Seen:
    clients = {name: await look.client(name) for name in what.equal}
    statuses = [await client.status() for client in clients.values()]
    # Writes go on meanwhile, so all are asked about a revision that all have.
    common = min(status.revision for status in statuses)
    hashes = {name: await client.hashkv(common) for name, client in clients.items()}
    equal = len({(answer.hash, answer.compacted) for answer in hashes.values()}) == 1
    saw = ", ".join(f"{name} {answer.hash:x}" for name, answer in hashes.items()) + f" at {common}"
    versions = [*versions_that_run(context.hub.board), *(status.version for status in statuses)]
    return Seen(equal, saw, known="" if equal else known_bug("unequal hashes", versions))


def _canary(context: Context, of: schema.Of) -> CanaryRow | None:
    return next((row for row in context.hub.board.rows(CanaryRow) if row.name == of), None)
