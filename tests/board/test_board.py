"""The board by kinds: rows as they come, and whether any of them changed."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.board.rows import CanaryRow, MachineRow


def machine(name: str, power: str = "up") -> MachineRow:
    return MachineRow(seen_at=1.0, name=name, power=power, address="127.0.8.101", since=0.0)  # type: ignore[arg-type]


def test_all_of_a_kind_comes_unsorted_and_complete() -> None:
    board = Board()
    board.apply(
        Frame(seq=1, at=1.0, rows=(machine("b"), machine("a"), CanaryRow(seen_at=1.0, name="etcd", state="idle")))
    )
    assert {row.name for row in board.all_of(MachineRow)} == {"a", "b"}
    assert [row.name for row in board.rows(MachineRow)] == ["a", "b"]


def test_changes_of_a_kind_are_counted_and_of_no_other() -> None:
    board = Board()
    seen = [board.changes(MachineRow)]
    for frame in (
        Frame(seq=1, at=1.0, rows=(machine("a"),)),
        Frame(seq=2, at=1.0, rows=(machine("a", "off"),)),
        Frame(seq=3, at=1.0, gone=("machine/a",)),
        Frame(seq=4, at=1.0, rows=(machine("a"),)),
        Frame(seq=5, at=1.0, full=True),
    ):
        board.apply(frame)
        seen.append(board.changes(MachineRow))
    assert seen == sorted(set(seen))  # Each of them raised it.
    board.apply(Frame(seq=6, at=1.0, rows=(CanaryRow(seen_at=1.0, name="etcd", state="idle"),)))
    assert board.changes(MachineRow) == seen[-1]
