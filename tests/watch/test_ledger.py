"""The ledger on disk: what a crash leaves is read back, and nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from rwk_tui.watch.aftermath import Aftermath
from rwk_tui.watch.ledger import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "canary.ledger"


def opened(path: Path) -> Ledger:
    ledger = Ledger(path)
    ledger.open()
    if not ledger.epoch.number:
        ledger.new_epoch("new", 1.0)
    return ledger


def test_outcomes_survive_a_restart_and_an_open_write_becomes_unknown(path: Path) -> None:
    first = opened(path)
    done, failed, unknown, flying = (first.intend() for _ in range(4))
    first.acknowledged(done, 7)
    first.failed(failed)
    first.unknown(unknown)
    value = first.value(done)

    again = opened(path)  # without closing: as after SIGKILL
    assert again.epoch.acknowledged == {done: 7}
    assert (again.epoch.acknowledged_count, again.epoch.failed_count, again.epoch.unknown_count) == (1, 1, 2)
    assert again.epoch.unknown == {unknown, flying}
    assert again.value(done) == value
    assert again.intend() > flying


def test_the_intent_is_on_disk_before_it_is_returned(path: Path) -> None:
    ledger = opened(path)
    seq = ledger.intend()
    assert path.read_text().splitlines()[-1] == f"I {seq}"


def test_a_last_line_cut_short_by_a_crash_is_dropped_and_written_after(path: Path) -> None:
    ledger = opened(path)
    seq = ledger.intend()
    ledger.acknowledged(seq, 7)
    with path.open("ab") as file:
        file.write(b"A 12")  # of "A 123"
    again = opened(path)
    assert again.epoch.acknowledged == {seq: 7}
    more = again.intend()
    again.acknowledged(more, 8)
    assert opened(path).epoch.acknowledged == {seq: 7, more: 8}


def test_a_damaged_line_spoils_only_itself(path: Path) -> None:
    ledger = opened(path)
    seq = ledger.intend()
    with path.open("ab") as file:
        file.write(b"A rubbish\n\xff\xfe\n")
    opened_again = opened(path)
    assert opened_again.epoch.unknown == {seq}


def test_an_epoch_counts_anew_and_late_outcomes_of_the_old_one_do_not_count(path: Path) -> None:
    ledger = opened(path)
    seq = ledger.intend()
    old_key = ledger.key(seq)
    ledger.new_epoch("restored from a backup", 2.0, "cafe")
    ledger.acknowledged(seq)
    assert ledger.epoch.acknowledged_count == 0
    assert ledger.key(seq) != old_key
    again = opened(path)
    assert (again.epoch.number, again.epoch.cluster, again.epoch.why) == (2, "cafe", "restored from a backup")


def test_trimming_keeps_the_counts_and_shrinks_the_file(path: Path) -> None:
    ledger = opened(path)
    for _ in range(100):
        ledger.acknowledged(ledger.intend())
    flying = ledger.intend()
    size = path.stat().st_size
    ledger.trim(91)
    assert path.stat().st_size < size / 2
    ledger.acknowledged(flying)
    for one in (ledger, opened(path)):
        assert one.epoch.acknowledged_count == 101
        assert one.epoch.acknowledged.keys() == set(range(91, 102))
        assert one.epoch.low == 91
    assert opened(path).intend() == 102


def written(ledger: Ledger, count: int, first: int) -> None:
    """That many acknowledged writes, as the revisions from `first` on."""
    for revision in range(first, first + count):
        ledger.acknowledged(ledger.intend(), revision)


def after(ledger: Ledger, name: str) -> int | None:
    mark = ledger.backup(name)
    assert mark is not None
    return mark.after


def test_what_a_backup_does_not_hold_is_counted_whenever_it_is_noted_and_acknowledged(path: Path) -> None:
    ledger = opened(path)
    written(ledger, 10, 101)
    early, late = ledger.intend(), ledger.intend()
    written(ledger, 3, 113)
    ledger.mark("before\nlunch", 111)
    assert after(ledger, "before lunch") == 3
    ledger.acknowledged(early, 111)
    ledger.acknowledged(late, 112)
    written(ledger, 5, 116)
    assert after(ledger, "before lunch") == after(opened(path), "before lunch") == 9


def test_the_count_is_exact_through_trimming_and_restarts(path: Path) -> None:
    ledger = opened(path)
    written(ledger, 50, 1)
    ledger.mark("before", 30)
    written(ledger, 50, 51)
    ledger.trim(95)
    assert after(ledger, "before") == 70
    again = opened(path)
    written(again, 4, 101)
    assert after(again, "before") == after(opened(path), "before") == 74
    again.mark("late", 60)
    assert after(again, "late") is None  # some of what came after it was given up already
    again.trim(96)
    assert after(opened(path), "late") is None
    again.mark("late", 100)
    assert after(opened(path), "late") == 4


def test_the_last_epoch_is_kept_until_it_is_counted(path: Path) -> None:
    ledger = opened(path)
    written(ledger, 5, 1)
    flying = ledger.intend()
    ledger.mark("before", 3)
    ledger.new_epoch("another one", 2.0)
    ledger.owe("before")
    ledger.new_epoch("nothing was written", 3.0)
    written(ledger, 2, 1)
    ledger.owe("before")
    ledger.trim(8)
    ledger.acknowledged(flying, 6)
    again = opened(path)
    for one in (ledger, again):
        assert one.last is not None
        assert (one.last.number, one.last.acknowledged_count, one.due) == (1, 6, "before")
        assert one.last.acknowledged == {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6}
        assert (after(one, "before"), one.epoch.number, one.epoch.acknowledged_count) == (3, 3, 2)
        assert one.key(3, 1) == "/rwk/canary/0001/0000000003"
        assert one.value(3, 1) == again.value(3, 1)
    result = Aftermath(1, "before", 6, 3, 3, 3, True, (), "")
    again.settle(result)
    assert (again.last, again.due) == (None, None)
    again.trim(8)
    third = opened(path)
    assert (third.aftermath, third.last, third.due) == (result, None, None)
    third.new_epoch("the next", 4.0)
    assert third.aftermath is None


def test_where_nothing_was_acknowledged_before_nothing_is_to_be_counted(path: Path) -> None:
    ledger = opened(path)
    ledger.restore("before")
    ledger.owe("before")
    for one in (ledger, opened(path)):
        assert (one.restored, one.due) == (None, None)


def test_that_something_was_restored_is_known_after_a_crash_and_void_in_the_next_epoch(path: Path) -> None:
    ledger = opened(path)
    written(ledger, 1, 1)
    ledger.restore("")
    assert (ledger.restored, opened(path).restored) == ("", "")
    ledger.trim(1)
    assert opened(path).restored == ""
    ledger.new_epoch("a fresh lab", 2.0)
    assert (ledger.restored, opened(path).restored) == (None, None)
