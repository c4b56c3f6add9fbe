"""What a tape holds: how long, how large, which story, which faults, and how they ended."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.frames import Frame, StepStatus
from rwk_tui.board.rows import FaultRow, LabRow
from rwk_tui.board.wording import clean
from rwk_tui.tape.read import Tape

WHOLE, DAMAGED = 0, 1
TOLD: frozenset[StepStatus] = frozenset({"passed", "failed", "known", "skipped"})


class ChapterTold(msgspec.Struct, frozen=True, kw_only=True):
    """A chapter as far as it was told, by how its steps ended."""

    chapter: str
    title: str
    steps: int
    passed: int = 0
    failed: int = 0
    known: int = 0
    skipped: int = 0

    @property
    def ended(self) -> int:
        """How many of its steps have ended, one way or another."""
        return self.passed + self.failed + self.known + self.skipped


class TapeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a tape holds, in words that are fit for any terminal; times are unix (s).

    `verdicts` counts the report cards of this run by how they ended. `problem` is "" if the tape is whole, else one
    line that says what could be kept; all else is of what could be.
    """

    tape: int
    protocol: int
    version: str
    backend: str
    engines: str
    began: float
    seconds: float
    frames: int
    events: int
    bytes: int
    bytes_a_minute: int
    chapters: tuple[ChapterTold, ...]
    faults: tuple[str, ...]
    verdicts: dict[str, int]
    problem: str


class Looker:
    """Looks through the frames of a tape for what is worth telling."""

    def __init__(self) -> None:
        self._board = Board()
        self._chapters: dict[str, ChapterTold] = {}
        self._faults: dict[str, str] = {}
        self._old_cards: set[str] | None = None
        self._began = self._ended = 0.0
        self._events: set[int] = set()
        self._frames = 0

    def look(self, frame: Frame) -> None:
        """Take in the next frame."""
        self._board.apply(frame)
        if self._old_cards is None:
            self._began = self._ended = frame.at
            self._old_cards = {row.key for row in self._board.all_of(CardRow)}
        self._frames += 1
        self._ended = max(self._ended, frame.at)
        self._events.update(event.id for event in frame.events)
        for row in frame.rows:
            if isinstance(row, FaultRow):
                self._faults[row.id] = clean(f"{row.fault} {row.target}".strip())
        if frame.story is not None and frame.story.chapter:
            self._hear_story()

    @property
    def cards(self) -> list[CardRow]:
        """The report cards of this run; what a lab remembers of earlier ones is not."""
        return [card for card in self._board.rows(CardRow) if card.key not in (self._old_cards or ())]

    def info(self, tape: Tape) -> TapeInfo:
        """All that was found; the tape says what it is and what was wrong with it. Raises OSError."""
        lab, size = self._board.get(LabRow, "lab"), tape.path.stat().st_size
        seconds = self._ended - self._began
        verdicts = Counter[str](card.verdict for card in self.cards)
        return TapeInfo(
            tape=tape.header.tape,
            protocol=tape.header.protocol,
            version=tape.header.version,
            backend=clean(lab.backend) if lab is not None else "",
            engines=clean(lab.engines) if lab is not None else "",
            began=self._began,
            seconds=round(seconds, 3),
            frames=self._frames,
            events=len(self._events),
            bytes=size,
            bytes_a_minute=round(size / seconds * 60) if seconds else 0,
            chapters=tuple(told for told in self._chapters.values() if told.ended),
            faults=tuple(self._faults.values()),
            verdicts=dict(verdicts),
            problem=tape.problem,
        )

    def _hear_story(self) -> None:
        story = self._board.story
        ends = [step.status for step in story.steps if step.status in TOLD]
        told = ChapterTold(
            chapter=clean(story.chapter),
            title=clean(story.title),
            steps=len(story.steps),
            passed=ends.count("passed"),
            failed=ends.count("failed"),
            known=ends.count("known"),
            skipped=ends.count("skipped"),
        )
        before = self._chapters.get(story.chapter)
        if before is None or told.ended >= before.ended:
            self._chapters[story.chapter] = told  # A chapter that was opened anew keeps how far it had come.


def look_through(path: Path) -> TapeInfo:
    """Read a tape and say what it holds. Raises BadTape or OSError."""
    tape, looker = Tape(path), Looker()
    for frame in tape:
        looker.look(frame)
    return looker.info(tape)


def print_info(path: Path, *, json: bool) -> int:
    """Print what a tape holds; returns 1 if it is damaged, after what could be kept. Raises BadTape or OSError."""
    from rwk_tui.tape.words import info_lines

    info = look_through(path)
    print(msgspec.json.encode(info).decode() if json else "\n".join(info_lines(path, info)))
    if info.problem:
        print(f"rwk-tui: {info.problem}", file=sys.stderr)
    return DAMAGED if info.problem else WHOLE
