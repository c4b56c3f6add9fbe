from __future__ import annotations

import operator

import msgspec
import pytest

from rwk_tui.board.frames import Event, Frame, Story
from rwk_tui.board.rows import CanaryRow, FaultRow, MachineRow, MemberRow, Row


def machine(**changes: object) -> MachineRow:
    values: dict[str, object] = {
        "seen_at": 1.0,
        "name": "core-01",
        "power": "up",
        "address": "127.0.8.101",
        "since": 1.0,
    }
    return MachineRow(**{**values, **changes})  # type: ignore[arg-type]


def member(**changes: object) -> MemberRow:
    values: dict[str, object] = {
        "seen_at": 1.0,
        "id": "8e9e05c52164694d",
        "name": "core-01",
        "machine": "core-01",
        "role": "leader",
        "health": "healthy",
        "since": 1.0,
        "raft_index": 10,
    }
    return MemberRow(**{**values, **changes})  # type: ignore[arg-type]


def test_a_row_that_only_got_older_is_equal() -> None:
    assert machine(seen_at=1.0) == machine(seen_at=99.0)
    assert machine() != machine(power="off")
    assert machine() != member()


def test_equal_rows_hash_alike() -> None:
    assert len({machine(seen_at=1.0), machine(seen_at=2.0)}) == 1


def test_numbers_alone_are_no_change_of_state() -> None:
    assert member(raft_index=10) != member(raft_index=11)
    assert not operator.ne(member(), member()), "a struct has an inequality of its own, which must ask our equality"
    assert member(raft_index=10).same_state(member(raft_index=11))
    assert not member(role="leader").same_state(member(role="follower"))
    assert not member().same_state(member(fresh=False, why="no answer"))


def test_every_number_is_a_field_of_its_row() -> None:
    kinds = list(Row.__subclasses__())
    assert CanaryRow in kinds and FaultRow in kinds
    for kind in kinds:
        assert set(kind.NUMBERS) <= set(kind.__struct_fields__), kind


def test_a_frame_survives_the_wire() -> None:
    frame = Frame(
        seq=3,
        at=5.0,
        rows=(machine(), member()),
        gone=("fault/1",),
        events=(Event(id=1, at=4.0, kind="machine", level="bad", text="core-01 power cut"),),
        story=Story(chapter="01-hosts"),
    )
    again = msgspec.json.decode(msgspec.json.encode(frame), type=Frame)
    assert again == frame
    assert again.rows[0].seen_at == 1.0


def test_a_frame_with_an_unknown_row_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"t":"frame","seq":1,"at":1,"rows":[{"row":"starship","seen_at":1}]}', type=Frame)
