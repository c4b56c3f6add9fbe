"""What fails in the background is told, once."""

from __future__ import annotations

from rwk_tui.lab.host.complaints import Complaints


def test_each_is_told_once_and_what_came_before_is_not_lost() -> None:
    heard: list[tuple[str, str]] = []
    complaints = Complaints()
    complaints.add("core-01", "early")
    complaints.heard_by(lambda machine, words: heard.append((machine, words)))
    for words in ("early", "late", "late"):
        complaints.add("core-01", words)
    complaints.add("core-02", "late")
    assert heard == [("core-01", "early"), ("core-01", "late"), ("core-02", "late")]
