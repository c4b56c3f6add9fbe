"""Leases of the control plane: who took one from whom, and whether its holder still had it."""

from __future__ import annotations

import pytest

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import LeaseRow
from rwk_tui.watch.expected import Expected
from rwk_tui.watch.kube.moments import Moments
from rwk_tui.watch.kube.tell_leases import LeaseTeller

NAME = "kube-scheduler"


class World:
    """A teller that is live; times of leases are s relative to now, `watched` is whether a watch is open."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.watched = True
        self.expected = Expected(self.hub.now)
        self.teller = LeaseTeller(self.hub, Moments(self.hub, self.expected), lambda: self.watched)
        self.began = self.hub.now()
        self.row: LeaseRow | None = None

    def hears(
        self, holder: str, *, acquired: float, renewed: float, transitions: int, machine: str | None = None
    ) -> None:
        row = LeaseRow(
            seen_at=self.hub.now(),
            name=NAME,
            holder=holder,
            machine=holder.partition("_")[0] if machine is None else machine,
            since=self.began + acquired,
            duration_s=15 if holder else 1,
            transitions=transitions,
            renewed=self.began + renewed,
        )
        self.teller.heard(self.row, row)
        self.row = row

    def is_gone(self) -> None:
        self.teller.heard(self.row, None)
        self.row = None

    @property
    def moves(self) -> list[tuple[str, str]]:
        return [(one.lease, one.machine) for one in self.teller.takeovers(self.began - 1)]

    @property
    def early(self) -> list[str]:
        return self.teller.early(self.began - 1)


@pytest.fixture
def world() -> World:
    made = World()
    made.hears("core-01_a", acquired=-100.0, renewed=-20.0, transitions=4)
    made.teller.live = True
    return made


def test_a_lease_that_ran_out_is_taken_by_another_machine(world: World) -> None:
    world.expected.disturb("core-01", world.began - 19.5)
    world.hears("core-02_b", acquired=-4.9, renewed=-4.9, transitions=5)
    (takeover,) = world.teller.takeovers(0.0)
    assert (takeover.lease, takeover.machine, takeover.resolution_ms) == (NAME, "core-02", 10.0)
    assert 19_500 <= takeover.ms < 20_500
    assert [event.duration_ms for event in world.hub.board.events] == [round(takeover.ms, 1)]
    assert world.early == []
    assert world.teller.takeovers(world.hub.now()) == []


def test_a_lease_that_was_taken_before_it_ran_out_is_evidence(world: World) -> None:
    world.hears("core-02_b", acquired=-8.2, renewed=-8.2, transitions=5)
    assert world.early == ["kube-scheduler: core-02 took it 3.20 s before core-01's ran out"]
    assert world.teller.early(world.hub.now()) == []
    assert [event.kind for event in world.hub.board.events] == ["violated", "lease"]


def test_whole_seconds_are_tolerated(world: World) -> None:
    world.hears("core-02_b", acquired=-5.9, renewed=-5.9, transitions=5)
    assert world.early == []


def test_a_lease_that_was_given_up_may_be_taken_at_once(world: World) -> None:
    world.hears("", acquired=-18.0, renewed=-18.0, transitions=4)
    world.hears("core-02_b", acquired=-17.5, renewed=-17.5, transitions=5)
    assert world.moves == [(NAME, "core-02")]
    assert world.early == []


def test_on_the_same_machine_it_is_no_takeover(world: World) -> None:
    world.hears("core-01_b", acquired=-4.0, renewed=-4.0, transitions=5)
    assert world.moves == []
    assert "was taken again by core-01" in world.hub.board.events[-1].text


def test_what_happened_while_no_watch_was_open_is_not_judged(world: World) -> None:
    world.watched = False
    world.hears("core-02_b", acquired=-18.0, renewed=-18.0, transitions=5)
    assert world.moves == [(NAME, "core-02")]
    assert world.early == []


def test_a_holder_that_was_never_seen_is_not_judged(world: World) -> None:
    world.hears("core-02_c", acquired=-18.0, renewed=-18.0, transitions=6)
    assert world.early == []


def test_a_restored_store_is_no_takeover(world: World) -> None:
    world.hears("core-03_z", acquired=-500.0, renewed=-400.0, transitions=3)
    assert (world.moves, world.early) == ([], [])
    assert world.hub.board.events[-1].text == "core-03 holds the lease kube-scheduler"
    world.hears("core-02_y", acquired=-1.0, renewed=-1.0, transitions=4)
    assert world.moves == [(NAME, "core-02")]
    assert world.early == []


def test_a_lease_that_was_deleted_is_free(world: World) -> None:
    world.is_gone()
    world.hears("core-02_b", acquired=-19.0, renewed=-19.0, transitions=0)
    assert (world.moves, world.early) == ([], [])


def test_after_kubernetes_was_set_up_anew_it_is_a_first_sight(world: World) -> None:
    world.teller.forget()
    world.row = None
    world.hears("core-02_b", acquired=-19.0, renewed=-19.0, transitions=0)
    assert (world.moves, world.early, list(world.hub.board.events)) == ([], [], [])


def test_a_holder_whose_machine_is_found_out_later_counts_from_then_on(world: World) -> None:
    world.hears("laptop_b", acquired=-4.0, renewed=-4.0, transitions=5, machine="")
    assert world.moves == []
    world.hears("laptop_b", acquired=-4.0, renewed=-2.0, transitions=5, machine="core-02")
    assert world.moves == [(NAME, "core-02")]


def test_the_newest_fifty_are_kept(world: World) -> None:
    for number in range(60):
        world.hears(
            f"core-0{2 + number % 2}_{number}", acquired=number * 20.0, renewed=number * 20.0, transitions=5 + number
        )
    assert len(world.moves) == 50
