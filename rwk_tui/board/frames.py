"""What travels on the stream from the daemon to its clients: frames, and what is inside them."""

from __future__ import annotations

from typing import Literal

import msgspec

from rwk_tui.board.rows import AnyRow

PROTOCOL = 3
"""The version of the stream; a client of another version is refused in one line."""

Level = Literal["info", "good", "warning", "bad"]
StepStatus = Literal["waiting", "running", "passed", "failed", "known", "skipped"]
"""How a step or a check stands; "known" is what did not hold because of a bug that its engine is known to have."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that changed, or that the presenter did; `at` is unix time (s), durations are in ms.

    `duration_ms` is None where nothing was measured; `resolution_ms` says how finely it was.
    """

    id: int
    at: float
    kind: str
    level: Level
    text: str
    subject: str = ""
    by_presenter: bool = False
    duration_ms: float | None = None
    resolution_ms: float | None = None


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One line that a step printed: a command before it runs, its output, or a remark of the director."""

    at: float
    step: str
    machine: str
    stream: Literal["command", "out", "err", "note"]
    text: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation of a step: what was expected, how it stands, what was seen last, and after how long (s)."""

    expect: str
    status: StepStatus
    saw: str = ""
    seconds: float = 0.0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the open chapter; `commands` are the lines as typed on this backend, known before they run.

    `began` is when it was begun (unix time, s): 0 while it waits, and where that is not known.
    """

    title: str
    status: StepStatus = "waiting"
    say: str = ""
    notes: str = ""
    commands: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    seconds: float = 0.0
    began: float = 0.0


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the story: the open chapter and where in it the director stands.

    `step` is the index of the step that is shown: the one that runs, or the one that `next` will run. It equals
    `len(steps)` when the chapter is done. `busy` says in words what the director does now ("" when idle).
    """

    chapter: str = ""
    title: str = ""
    goal: str = ""
    steps: tuple[Step, ...] = ()
    step: int = 0
    busy: str = ""
    error: str = ""


class Frame(msgspec.Struct, frozen=True, kw_only=True, tag="frame", tag_field="t"):
    """One message of the stream; with `full`, it is the whole board and what came before it counts no more.

    An empty frame is a sign of life. `gone` holds keys of rows. `story` is None where it did not change.
    """

    seq: int
    at: float
    full: bool = False
    rows: tuple[AnyRow, ...] = ()
    gone: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    story: Story | None = None
    output: tuple[Output, ...] = ()
