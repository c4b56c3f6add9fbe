"""The tape that comes along tells the whole story, from a run in which all went well, and nothing of where it ran."""

from __future__ import annotations

from pathlib import Path

import msgspec

from rwk_tui.data import data_dir
from rwk_tui.settings import load_settings
from rwk_tui.story.load import load_chapters
from rwk_tui.tape.info import look_through
from rwk_tui.tape.read import Tape

DEMO = data_dir("assets") / "tapes" / "demo.tape"


def test_it_tells_every_chapter_to_its_end(tmp_path: Path) -> None:
    info = look_through(DEMO)
    assert info.problem == ""
    chapters = load_chapters(load_settings(environment={}, directory=tmp_path))
    told = {each.chapter: (each.passed, each.steps) for each in info.chapters}
    for chapter in chapters:
        assert told[chapter.name] == (len(chapter.steps), len(chapter.steps))
    assert info.verdicts == {"holds": 2}
    assert info.bytes < 1_500_000


def test_it_says_nothing_of_where_it_was_recorded() -> None:
    for frame in Tape(DEMO):
        line = msgspec.json.encode(frame)
        for word in (b"/tmp/", b"/root/", b'"/work'):
            assert word not in line
