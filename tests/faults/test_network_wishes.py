"""What several faults together want of each link, and that only what differs is done to it."""

from __future__ import annotations

import pytest
from support.watch_lab import FakeLink

from rwk_tui.board.rows import FaultRow
from rwk_tui.faults.network_wishes import PERIOD, Wish, apply, lies_on, wanted

NAMES = ("core-01", "core-02", "core-03")
LINKS = [(one, two) for one in NAMES for two in NAMES if one != two]


def fault(kind: str, target: str, *, since: float = 0.0, healing: bool = False) -> FaultRow:
    return FaultRow(
        seen_at=since, id=f"{kind}{target}", fault=kind, target=target, since=since, text="", healing=healing
    )


@pytest.mark.parametrize(
    ("target", "links"),
    [
        ("core-01", "1>2 1>3 2>1 3>1"),
        ("core-01>core-02+core-03", "1>2 1>3"),
        ("core-02+core-03>core-01", "2>1 3>1"),
        ("core-02>core-03", "2>3"),
        ("core-01|core-02+core-03", "1>2 1>3 2>1 3>1"),
        ("core-01|core-02|core-03", "1>2 1>3 2>1 2>3 3>1 3>2"),
    ],
)
def test_the_links_on_which_a_target_lies(target: str, links: str) -> None:
    found = [f"{one[-1]}>{two[-1]}" for one, two in LINKS if lies_on(target, one, two)]
    assert " ".join(found) == links


def test_each_kind_wants_what_it_says() -> None:
    def of(kind: str) -> Wish:
        return wanted([fault(kind, "core-01")], "core-01", "core-02", 0.0)

    assert of("partition") == of("flapping") == Wish(cut=True)
    assert of("delay") == Wish(delay_ms=200.0)
    assert of("jitter") == Wish(delay_ms=100.0, jitter_ms=80.0)
    assert of("loss") == Wish(loss=0.3)
    assert of("resets") == of("kill-unit") == of("unheard-of") == Wish()


def test_of_several_faults_the_worst_holds_on_each_link() -> None:
    faults = [fault("delay", "core-01"), fault("jitter", "core-02"), fault("one-way", "core-01>core-02+core-03")]
    assert wanted(faults, "core-01", "core-02", 0.0) == Wish(cut=True, delay_ms=200.0, jitter_ms=80.0)
    assert wanted(faults, "core-02", "core-01", 0.0) == Wish(delay_ms=200.0, jitter_ms=80.0)
    assert wanted(faults, "core-01", "core-03", 0.0) == Wish(cut=True, delay_ms=200.0)
    assert wanted(faults, "core-02", "core-03", 0.0) == Wish(delay_ms=100.0, jitter_ms=80.0)
    assert wanted(faults[:1], "core-02", "core-03", 0.0) == Wish()


def test_a_flapping_link_is_cut_first_and_open_next() -> None:
    flaps = [fault("flapping", "core-01", since=100.0)]
    states = [wanted(flaps, "core-01", "core-02", 100.0 + at * PERIOD).cut for at in (0.0, 0.9, 1.1, 1.9, 2.1, 3.1)]
    assert states == [True, True, False, False, True, False]


async def test_what_one_fault_leaves_is_what_the_others_want() -> None:
    link = FakeLink("core-01", "core-02")
    partition, delay = fault("partition", "core-01"), fault("delay", "core-02")
    await apply([link], [partition, delay], 0.0)
    assert (link.is_cut, link.delay_ms) == (True, 200.0)
    await apply([link], [delay], 0.0)
    assert (link.is_cut, link.delay_ms, link.jitter_ms) == (False, 200.0, 0.0)
    await apply([link], [], 0.0)
    assert (link.is_cut, link.delay_ms) == (False, 0.0)


async def test_a_fault_that_is_being_healed_wants_nothing_any_more() -> None:
    link = FakeLink("core-01", "core-02")
    await apply([link], [fault("partition", "core-01", healing=True), fault("delay", "core-01")], 0.0)
    assert (link.is_cut, link.delay_ms) == (False, 200.0)


async def test_a_link_that_is_as_it_should_be_is_left_alone() -> None:
    link = FakeLink("core-01", "core-02")
    faults = [fault("partition", "core-01"), fault("jitter", "core-02")]
    await apply([link], faults, 0.0)
    assert link.done == ["delay 100±80 core-01>core-02", "cut core-01>core-02"]
    link.done.clear()
    await apply([link], faults, 1.0)
    await apply([link], [*faults, fault("delay", "core-03")], 1.0)
    assert link.done == []


async def test_packets_are_lost_and_not_lost_any_more() -> None:
    link = FakeLink("core-01", "core-02")
    await apply([link], [fault("loss", "core-01"), fault("delay", "core-01")], 0.0)
    assert (link.loss, link.delay_ms) == (0.3, 200.0)
    await apply([link], [fault("delay", "core-01")], 0.0)
    assert (link.loss, link.delay_ms) == (0.0, 200.0)
