"""Random faults that a seed draws again."""

from __future__ import annotations

from itertools import islice

from rwk_tui.board.rows import FaultKindRow
from rwk_tui.faults.draw import Draw, draws, target_of

POOL = ("kill-unit", "pause-unit", "partition", "delay", "no-space")


def first(seed: int, number: int, pool: tuple[str, ...] = POOL) -> list[Draw]:
    return list(islice(draws(seed, pool), number))


def row(*targets: str) -> FaultKindRow:
    return FaultKindRow(seen_at=1.0, name="x", title="X", explain="x", targets=targets)


def test_a_seed_draws_the_same_again_and_another_seed_something_else() -> None:
    assert first(7, 200) == first(7, 200)
    assert first(7, 200) != first(8, 200)
    assert first(7, 200)[:50] == first(7, 50)


def test_everything_in_the_pool_comes_and_nothing_else() -> None:
    found = first(1, 200)
    assert {draw.fault for draw in found} == set(POOL)
    assert [draw.number for draw in found] == list(range(1, 201))
    assert all(0 <= draw.hold <= 2 for draw in found)


def test_now_and_then_a_light_one_comes_on_top_of_another() -> None:
    beside = [draw for draw in first(1, 400) if draw.beside is not None]
    assert 40 <= len(beside) <= 140
    assert {draw.beside.fault for draw in beside if draw.beside} <= {"kill-unit", "pause-unit", "delay"}
    assert all(draw.beside is not None and draw.beside.fault != draw.fault for draw in beside)
    assert not any(draw.beside for draw in first(1, 100, ("partition",)))


def test_a_share_means_the_same_target_whatever_leads_and_in_whatever_order_they_are_offered() -> None:
    draw = Draw(1, "x", 0.5, 0.0)
    assert target_of(draw, row("leader", "core-01", "core-02", "core-03")) == "core-02"
    assert target_of(draw, row("core-03", "core-01", "core-02")) == "core-02"
    assert target_of(draw, row("leader")) == ""
    assert target_of(draw, None) == ""


def test_on_top_of_another_it_hits_the_same_machine_or_nothing() -> None:
    draw = Draw(1, "x", 0.9, 0.0)
    assert target_of(draw, row("core-01/etcd", "core-02/etcd"), "core-01") == "core-01/etcd"
    assert target_of(draw, row("core-02/etcd"), "core-01") == ""
    assert target_of(draw, row("core-01/etcd"), "core-01+core-02") == ""
