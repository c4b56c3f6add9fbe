"""The catalogue over a pretended lab: refusals, the record, aliases, and healing what is left."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from support.faults_world import ALL, FaultsWorld
from support.watch_etcd import refused

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultKindRow, FaultRow, MemberRow
from rwk_tui.faults.base import Case, Fault, Sight
from rwk_tui.faults.book import Book, read_cards
from rwk_tui.faults.catalogue import FaultRefused
from rwk_tui.faults.kinds import KINDS
from rwk_tui.lab.protocol import LabError, UnitStatus

WAIT = 20.0


async def test_the_record_is_written_before_anything_is_done(world: FaultsWorld) -> None:
    row = await world.faults.inject("kill-unit", "leader")
    assert row.target == "core-02/etcd"
    assert world.journal == ["record kill-unit:core-02/etcd", "kill core-02/etcd"]
    assert world.hub.board.rows(FaultRow) == [row]
    assert world.told("fault") == ["etcd on core-02 was killed (you)"]
    assert world.hub.board.events[-1].by_presenter


async def test_what_a_probe_sees_of_it_is_on_its_row(world: FaultsWorld) -> None:
    row = await world.faults.inject("pause-unit", "core-01/etcd")
    assert row.effect == ""
    await world.until(lambda board: [one.effect for one in board.rows(FaultRow)] == ["etcd is stopped in mid-air"])


async def test_healing_acts_and_then_forgets_and_hands_out_a_card(world: FaultsWorld) -> None:
    row = await world.faults.inject("pause-unit", "core-01/etcd")
    await world.until(lambda board: bool(board.rows(FaultRow)[0].effect))
    world.journal.clear()
    (healed,) = await world.faults.heal()
    assert (healed.id, healed.healing) == (row.id, True)
    assert world.journal == ["resume core-01/etcd", "record "]
    assert world.hub.board.rows(FaultRow) == []
    await world.faults.settled()
    (card,) = world.cards()
    assert (card.fault, card.target, card.domain, card.verdict) == ("pause-unit", "core-01/etcd", "process", "holds")
    assert (card.text, card.effect) == ("etcd on core-01 was frozen", "etcd is stopped in mid-air")
    assert card.effect_ms is not None and 0 < card.effect_ms < 5000
    assert card.well_ms is not None and 0 < card.well_ms < 5000
    assert card.injected == row.since < card.healed
    (told,) = world.told("card")
    assert told.startswith("1. etcd on core-01 was frozen: well again after")
    assert "0 of" in told


async def test_cards_are_numbered_through_and_come_back_with_the_book(world: FaultsWorld, tmp_path: Path) -> None:
    for _ in range(2):
        await world.until(lambda _: "core-01/etcd" in world.targets("pause-unit"))
        await world.faults.inject("pause-unit", "core-01/etcd")
        await world.faults.heal()
        await world.faults.settled()
    assert [card.number for card in world.cards()] == [1, 2]
    assert [card.number for card in read_cards(tmp_path / "cards")] == [1, 2]
    assert Book(tmp_path / "cards", pytest.fail).next == 3


async def test_a_lab_that_does_not_get_well_is_said_so(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KINDS["pause-unit"], "holds", lambda board, target: False)
    monkeypatch.setattr(KINDS["pause-unit"], "well_within", 0.1)
    await world.faults.inject("pause-unit", "core-01/etcd")
    await world.faults.heal()
    await world.faults.settled()
    (card,) = world.cards()
    assert (card.verdict, card.well_ms) == ("not well", None)
    assert "NOT well again" in world.told("card")[0]


async def test_a_lost_write_is_a_violation(world: FaultsWorld) -> None:
    await world.until(lambda _: bool(world.cluster.store))
    await world.faults.inject("pause-unit", "core-01/etcd")
    world.watcher.canary.pause()
    world.cluster.store.clear()
    await world.faults.heal()
    await world.faults.settled()
    (card,) = world.cards()
    assert card.verdict == "violated"
    assert [one.name for one in card.broken] == ["every acknowledged write is there"]
    assert "VIOLATED" in world.told("violated")[0]


async def test_what_the_etcd_that_runs_is_known_for_is_a_verdict_of_its_own(world: FaultsWorld) -> None:
    world.cluster.run_version("3.5.1")
    await world.until(lambda board: any(row.version == "3.5.1" for row in board.rows(MemberRow)))
    await world.until(lambda _: bool(world.cluster.store))
    await world.faults.inject("pause-unit", "core-01/etcd")
    world.watcher.canary.pause()
    world.cluster.store.clear()
    world.cluster.stores["core-03"] = {"/x": "only here"}
    await world.faults.heal()
    await world.faults.settled()
    (card,) = world.cards()
    assert (card.verdict, card.broken) == ("known", ())
    known = "known of etcd 3.5.1: etcd#13766"
    assert [(one.name, one.verdict, one.known) for one in card.known] == [
        ("every acknowledged write is there", "known", known),
        ("all members store the same", "known", known),
    ]
    assert card.known[1].words == f"hashkv DIFFERS on 3 members; {known}"
    assert card.known[1].evidence == ("/x: core-03 stores 'only here', the others nothing",)
    (event,) = [event for event in world.hub.board.events if event.kind == "card"]
    assert event.level == "warning" and f"KNOWN: all members store the same: {card.known[1].words}" in event.text
    assert world.told("violated") == world.told("lost") == []
    said = f"all members store the same, but hashkv DIFFERS on 3 members: {card.known[1].evidence[0]}; {known}"
    assert world.told("known")[-1] == f"KNOWN after {card.text}: {said}"


async def test_members_of_another_old_etcd_that_differ_are_a_violation(world: FaultsWorld) -> None:
    world.cluster.run_version("3.5.3")
    await world.until(lambda board: any(row.version == "3.5.3" for row in board.rows(MemberRow)))
    await world.faults.inject("pause-unit", "core-01/etcd")
    world.watcher.canary.pause()
    world.cluster.stores["core-03"] = {"/x": "only here"}
    await world.faults.heal()
    await world.faults.settled()
    (card,) = world.cards()
    assert (card.verdict, [one.name for one in card.broken]) == ("violated", ["all members store the same"])


async def test_what_is_known_does_not_hide_that_it_is_not_well(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KINDS["pause-unit"], "holds", lambda board, target: False)
    monkeypatch.setattr(KINDS["pause-unit"], "well_within", 0.1)
    world.cluster.run_version("3.5.1")
    await world.until(lambda board: any(row.version == "3.5.1" for row in board.rows(MemberRow)))
    await world.until(lambda _: bool(world.cluster.store))
    await world.faults.inject("pause-unit", "core-01/etcd")
    world.watcher.canary.pause()
    world.cluster.store.clear()
    await world.faults.heal()
    await world.faults.settled()
    (card,) = world.cards()
    assert (card.verdict, len(card.known)) == ("not well", 1)


async def test_what_no_probe_sees_is_told(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KINDS["pause-unit"], "shows_within", 0.1)

    async def nothing(case: Case) -> Sight | None:
        return None

    monkeypatch.setattr(KINDS["pause-unit"], "shows", nothing)
    await world.faults.inject("pause-unit", "core-01/etcd")
    await world.until(lambda _: any("no probe saw it within 0.1 s" in text for text in world.told("effect")))
    assert world.hub.board.rows(FaultRow)[0].effect == ""


async def test_a_fault_that_the_lab_refuses_leaves_no_record(world: FaultsWorld) -> None:
    world.lab.fakes["core-01"].fails = "the disk is full"
    with pytest.raises(FaultRefused, match="cut the power, core-01: the disk is full"):
        await world.faults.inject("power-cut", "core-01")
    assert world.journal[-1] == "record "
    assert world.faults.active == ()


@pytest.mark.parametrize(
    ("fault", "target", "confirm", "words"),
    [
        ("melt", "core-01", "", "there is no fault 'melt'"),
        ("power-cut", "core-09", "", "there is no machine 'core-09'"),
        ("kill-unit", "core-01/nginx", "", "kill a process: core-01/nginx can't be hit by that now"),
        ("destroy", "core-01", "", "type core-01 to confirm it"),
        ("destroy", "core-01", "core-02", "type core-01 to confirm it"),
        ("destroy", "leader", "core-02", "name the machine"),
        ("kill-kubelet", "", "", "kill a kubelet: nothing here that it could hit now"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_one_line(
    world: FaultsWorld, fault: str, target: str, confirm: str, words: str
) -> None:
    with pytest.raises(FaultRefused, match=words):
        await world.faults.inject(fault, target, confirm)
    assert world.journal == []


async def test_the_same_fault_twice_is_refused(world: FaultsWorld) -> None:
    await world.faults.inject("partition", "core-01")
    with pytest.raises(FaultRefused, match="already: heal it first"):
        await world.faults.inject("partition", "core-01")


async def test_without_a_leader_the_alias_is_refused_and_not_offered(world: FaultsWorld) -> None:
    assert world.targets("power-cut")[0] == "leader"
    world.cluster.statuses.clear()
    world.cluster.broken = {name: refused() for name in ALL}
    assert await world.hub.wait(lambda board: "leader" not in world.targets("power-cut"), WAIT)
    with pytest.raises(FaultRefused, match="etcd has no leader now"):
        await world.faults.inject("power-cut", "leader")


async def test_what_the_lab_lacks_is_refused_with_the_reason_and_offered_with_it(world: FaultsWorld) -> None:
    world.lab.missing["power cut"] = "these hosts have no power switch"
    world.faults.kinds()
    row = world.hub.board.get(FaultKindRow, "fault-kind/power-cut")
    assert row is not None
    assert (row.targets, row.why) == ((), "these hosts have no power switch")
    with pytest.raises(FaultRefused, match="cut the power: these hosts have no power switch"):
        await world.faults.inject("power-cut", "core-01")
    assert world.journal == []


async def test_healing_is_never_refused(world: FaultsWorld) -> None:
    assert await world.faults.heal() == ()
    assert await world.faults.heal("all") == ()
    assert await world.faults.heal("f99") == ()
    await world.faults.inject("kill-unit", "core-01/etcd")
    world.lab.fakes["core-01"].units.clear()  # its disk went meanwhile
    await world.faults.heal()
    assert world.faults.active == ()
    assert "nothing left to heal" in world.told("heal")[-1]


async def test_what_was_mended_by_other_means_gets_no_card(world: FaultsWorld) -> None:
    await world.faults.inject("kill-unit", "core-01/etcd")
    world.lab.fakes["core-01"].units.clear()
    await world.faults.heal()
    await world.faults.settled()
    assert world.cards() == []


class Stubborn(Fault):
    """A fault that can't be healed while core-03 is frozen; it is kept up all the time."""

    name = "stubborn"
    domain = "process"
    title = "Be stubborn"
    explain = look = must = "Nothing."

    def __init__(self, world: FaultsWorld) -> None:
        self.world = world
        self.beats = 0

    def targets(self, board: Board) -> tuple[str, ...]:
        return ("core-01",)

    def done(self, target: str) -> str:
        return f"{target} is stubborn"

    def undone(self, target: str) -> str:
        return f"{target} gives in"

    async def inject(self, case: Case) -> None:
        return None

    async def keep_up(self, case: Case) -> None:
        while True:
            self.beats += 1
            await asyncio.sleep(0.01)

    async def shows(self, case: Case) -> Sight | None:
        return Sight("it is seen")

    async def heal(self, case: Case, others: tuple[FaultRow, ...]) -> None:
        self.world.journal.append(f"heal beside {','.join(row.fault for row in others)}")
        if self.world.lab.fakes["core-03"].units["etcd"].state == "paused":
            raise LabError("core-03 stands still")

    def holds(self, board: Board, target: str) -> bool:
        return True


async def test_a_heal_that_fails_keeps_the_fault(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "stubborn", Stubborn(world))
    world.lab.fakes["core-03"].units["etcd"] = UnitStatus("paused", pid=1)
    row = await world.faults.inject("stubborn", "core-01")
    await world.until(lambda board: bool(board.rows(FaultRow)[0].effect))
    assert await world.faults.heal(row.id) == ()
    (kept,) = world.hub.board.rows(FaultRow)
    assert (kept.id, kept.healing, kept.effect) == (row.id, False, "it is seen")
    assert world.faults.active == (kept,)
    assert world.told("heal")[-1] == "core-01 is stubborn: it can't be healed now: core-03 stands still"
    assert world.cards() == []
    world.lab.fakes["core-03"].units["etcd"] = UnitStatus("running", pid=1)
    assert [one.id for one in await world.faults.heal(row.id)] == [row.id]
    assert world.hub.board.rows(FaultRow) == []


async def test_what_cant_be_healed_yet_is_tried_once_more_after_the_others(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "stubborn", Stubborn(world))
    await world.faults.inject("pause-unit", "core-03/etcd")
    await world.faults.inject("stubborn", "core-01")
    world.journal.clear()
    assert [row.fault for row in await world.faults.heal("all")] == ["pause-unit", "stubborn"]
    did = [line for line in world.journal if not line.startswith("record")]
    assert did == ["heal beside pause-unit", "resume core-03/etcd", "heal beside "]
    assert not any("can't be healed" in text for text in world.told("heal"))


async def test_a_fault_is_kept_up_until_it_is_healed(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn = Stubborn(world)
    monkeypatch.setitem(KINDS, "stubborn", stubborn)
    await world.faults.inject("stubborn", "core-01")
    await world.until(lambda _: stubborn.beats > 2)
    await world.faults.heal()
    beats = stubborn.beats
    await asyncio.sleep(0.05)
    assert stubborn.beats == beats


async def test_what_could_not_be_healed_is_kept_up_on(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn = Stubborn(world)
    monkeypatch.setitem(KINDS, "stubborn", stubborn)
    world.lab.fakes["core-03"].units["etcd"] = UnitStatus("paused", pid=1)
    await world.faults.inject("stubborn", "core-01")
    assert await world.faults.heal() == ()
    beats = stubborn.beats
    await world.until(lambda _: stubborn.beats > beats + 2)


async def test_a_healing_that_is_broken_off_leaves_the_fault_as_it_was(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn, begun = Stubborn(world), asyncio.Event()
    monkeypatch.setitem(KINDS, "stubborn", stubborn)

    async def hang(case: Case, others: tuple[FaultRow, ...]) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(stubborn, "heal", hang)
    await world.faults.inject("stubborn", "core-01")
    healing = asyncio.create_task(world.faults.heal())
    await begun.wait()
    assert [row.healing for row in world.faults.active] == [True]
    healing.cancel()
    await asyncio.gather(healing, return_exceptions=True)
    assert [row.healing for row in world.faults.active] == [False]
    beats = stubborn.beats
    await world.until(lambda _: stubborn.beats > beats + 2)


async def test_a_reset_in_the_middle_of_a_healing_hands_out_no_card(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn, begun, go = Stubborn(world), asyncio.Event(), asyncio.Event()
    monkeypatch.setitem(KINDS, "stubborn", stubborn)

    async def wait(case: Case, others: tuple[FaultRow, ...]) -> None:
        begun.set()
        await go.wait()

    monkeypatch.setattr(stubborn, "heal", wait)
    await world.faults.inject("stubborn", "core-01")
    healing = asyncio.create_task(world.faults.heal())
    await begun.wait()
    world.faults.forget()
    go.set()
    await healing
    await world.faults.settled()
    assert world.cards() == [] and world.faults.active == ()


async def test_a_destroyed_machine_is_not_healable_and_not_active_but_has_a_card(world: FaultsWorld) -> None:
    await world.faults.inject("destroy", "core-03", confirm="core-03")
    assert world.faults.active == ()
    assert world.journal == ["record destroy:core-03", "destroy core-03", "record "]
    await world.until(lambda _: "core-03" not in world.targets("destroy"))
    await world.faults.settled()
    (card,) = world.cards()
    assert (card.fault, card.healed, card.effect) == ("destroy", 0.0, "core-03 is gone")


async def test_kinds_are_published_again_only_when_targets_change(world: FaultsWorld) -> None:
    world.hub.drain()
    world.watcher.refresh()
    assert not await world.hub.wait(lambda board: False, 0.3)
    assert not any(isinstance(row, FaultKindRow) for row in world.hub.drain().rows)
    world.lab.fakes["core-03"].now = replace(world.lab.fakes["core-03"].now, power="halted")
    assert await world.hub.wait(lambda board: "core-03" not in world.targets("power-cut"), WAIT)
    assert any(isinstance(row, FaultKindRow) for row in world.hub.drain().rows)


async def test_recorded_faults_are_taken_up_where_they_still_hold(world: FaultsWorld) -> None:
    world.lab.fakes["core-01"].units["etcd"] = UnitStatus("paused", pid=1)
    assert await world.hub.wait(lambda board: "core-01/etcd" not in world.targets("pause-unit"), WAIT)

    def row(number: int, fault: str, target: str) -> FaultRow:
        return FaultRow(seen_at=1, id=f"f{number}", fault=fault, target=target, since=1, text="earlier")

    await world.faults.restore(
        [
            row(1, "pause-unit", "core-01/etcd"),
            row(2, "power-cut", "core-02"),
            row(3, "partition", "core-03"),
            row(4, "melt", "core-01"),
        ]
    )
    assert [one.id for one in world.faults.active] == ["f1", "f3"]
    assert world.lab.link("core-03", "core-01").is_cut
    more = await world.faults.inject("kill-unit", "core-03/etcd")
    assert more.id not in ("f1", "f3")


async def test_a_reset_forgets_every_fault(world: FaultsWorld) -> None:
    await world.faults.inject("kill-unit", "core-01/etcd")
    world.faults.forget()
    assert world.faults.active == ()
    assert world.hub.board.rows(FaultRow) == []
    assert world.journal[-1] == "record "


async def test_a_fault_that_was_mended_by_other_means_is_over(world: FaultsWorld) -> None:
    await world.faults.inject("kill-unit", "core-01/etcd")
    assert await world.hub.wait(lambda board: "core-01/etcd" not in world.targets("kill-unit"), WAIT)
    assert len(world.faults.active) == 1
    await world.lab.fakes["core-01"].unit("etcd").start()
    assert await world.hub.wait(lambda board: not board.rows(FaultRow), WAIT)
    assert world.journal[-1] == "record "
    assert await world.hub.wait(lambda board: "core-01/etcd" in world.targets("kill-unit"), WAIT)
    await world.faults.inject("kill-unit", "core-01/etcd")


async def test_a_power_cut_is_not_healed_into_another_machine(world: FaultsWorld) -> None:
    await world.faults.inject("power-cut", "core-01")
    await world.lab.fakes["core-01"].destroy()
    world.journal.clear()
    await world.faults.heal()
    assert not [line for line in world.journal if line.startswith("start")]
    assert world.hub.board.rows(FaultRow) == []


async def test_what_was_cancelled_in_the_middle_can_be_healed(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(world.lab.fakes["core-01"], "kill", hang)
    work = asyncio.create_task(world.faults.inject("power-cut", "core-01"))
    await begun.wait()
    with pytest.raises(FaultRefused, match="already"):
        await world.faults.inject("power-cut", "core-01")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert [row.target for row in world.faults.active] == ["core-01"]


async def test_without_etcd_nothing_is_said_to_stand_still(tmp_path: Path) -> None:
    made = FaultsWorld(tmp_path)
    made.cluster.statuses.clear()
    made.cluster.broken = {name: refused() for name in ALL}
    for machine in made.lab.fakes.values():
        machine.units.clear()
    await made.watcher.start()
    made.watcher.alert(60)
    made.faults.kinds()
    assert await made.hub.wait(lambda board: "core-01" in made.targets("power-cut"), WAIT)
    await made.faults.inject("power-cut", "core-01")
    await made.faults.settled()
    assert made.told("effect") == ["core-01 lost its power → core-01 is off; there is no etcd that could feel it"]
    await made.stop()
