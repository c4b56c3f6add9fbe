"""What survives a crash of the daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from rwk_tui.board.rows import FaultRow
from rwk_tui.daemon import record as record_module
from rwk_tui.daemon.record import Record, Recorded
from rwk_tui.lab.protocol import LabError

CUT = FaultRow(seen_at=1.0, id="f1", fault="power-cut", target="core-01", since=1.0, text="core-01: power cut")


@pytest.fixture
def complaints() -> list[str]:
    return []


def test_the_next_run_reads_what_this_one_wrote(tmp_path: Path, complaints: list[str]) -> None:
    record = Record(tmp_path / "record.json", complaints.append)
    record.story("03-etcd-clustering", 4)
    record.faults((CUT,))
    again = Record(tmp_path / "record.json", complaints.append).load()
    assert again == Recorded(chapter="03-etcd-clustering", step=4, faults=(CUT,))
    assert again.faults[0].text == "core-01: power cut"
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
    assert complaints == []


@pytest.mark.parametrize("content", [b'{"chapter":', b'{"chapter":"\xff"}', b'{"faults":' + b"[" * 100_000])
def test_a_damaged_record_is_said_and_counts_as_none(tmp_path: Path, complaints: list[str], content: bytes) -> None:
    (tmp_path / "record.json").write_bytes(content)
    assert Record(tmp_path / "record.json", complaints.append).load() == Recorded()
    assert len(complaints) == 1
    assert "record.json can't be read" in complaints[0]


def test_on_a_full_disk_no_fault_begins_but_story_and_healing_go_on(
    tmp_path: Path, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(tmp_path / "record.json", complaints.append)
    record.faults((CUT,))

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(record_module, "write_whole", full)
    with pytest.raises(LabError, match="No space left on device"):
        record.faults((CUT, FaultRow(seen_at=2.0, id="f2", fault="partition", target="core-02", since=2.0, text="")))
    assert record.now.faults == (CUT,)
    record.story("02-etcd-single", 1)
    record.story("02-etcd-single", 2)
    record.faults(())
    assert len(complaints) == 1, "said once, not with each step"
    assert record.now == Recorded(chapter="02-etcd-single", step=2)
