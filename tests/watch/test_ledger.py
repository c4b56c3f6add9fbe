"""The ledger on disk: what a crash leaves is read back, and nothing is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    first.acknowledged(done)
    first.failed(failed)
    first.unknown(unknown)
    value = first.value(done)

    again = opened(path)  # without closing: as after SIGKILL
    assert again.epoch.acknowledged == {done}
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
    ledger.acknowledged(seq)
    with path.open("ab") as file:
        file.write(b"A 12")  # of "A 123"
    again = opened(path)
    assert again.epoch.acknowledged == {seq}
    more = again.intend()
    again.acknowledged(more)
    assert opened(path).epoch.acknowledged == {seq, more}


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
        assert one.epoch.acknowledged == set(range(91, 102))
        assert one.epoch.low == 91
    assert opened(path).intend() == 102
