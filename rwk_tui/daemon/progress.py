"""How a run without a screen tells what happens: JSON lines, plain lines, or lines above a bar."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import msgspec

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.card_words import VERDICTS, facts
from rwk_tui.board.frames import Step, StepStatus
from rwk_tui.board.targets import target_words
from rwk_tui.daemon.install_words import Due, Getting, about, getting_values, getting_words, plan_values, plan_words
from rwk_tui.daemon.report import card_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

ENDS: tuple[StepStatus, ...] = ("passed", "failed", "known", "skipped")
"""How a step can end, in the order in which the summary counts them."""


@dataclass(frozen=True, slots=True)
class Result:
    """One step as it ended; `number` is counted from 1."""

    chapter: str
    number: int
    of: int
    step: Step


class Report(Protocol):
    """What a run is told to; used as a context for as long as the run takes."""

    EVERY: ClassVar[float]
    """Seconds between two reports of how far an install is."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def plan(self, dues: Sequence[Due]) -> None:
        """Engines will be got, all of these."""

    def getting(self, getting: Getting) -> None:
        """An engine is being got, or has come, or could not be got."""

    def chapter(self, name: str, title: str, steps: int) -> None:
        """A chapter begins."""

    def running(self, number: int, title: str) -> None:
        """A step begins."""

    def step(self, result: Result) -> None:
        """A step ended."""

    def card(self, card: CardRow) -> None:
        """A fault got its card."""

    def summary(self, chapters: int, results: Sequence[Result], seconds: float) -> None:
        """The run ended."""


class JsonReport:
    """JSON lines on stdout, and nothing else there: one a step as it ends, one a card, then the summary.

    Where engines are got, one line with all of them comes first, then lines of each while it is got.
    """

    EVERY: ClassVar[float] = 10.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def plan(self, dues: Sequence[Due]) -> None:
        self._print({"plan": plan_values(dues)})

    def getting(self, getting: Getting) -> None:
        self._print({"install": getting_values(getting)})

    def chapter(self, name: str, title: str, steps: int) -> None: ...

    def running(self, number: int, title: str) -> None: ...

    def step(self, result: Result) -> None:
        step = result.step
        checks = [
            {
                "expect": check.expect,
                "status": check.status if check.status in ("passed", "failed", "known") else "skipped",
                "saw": check.saw,
                "seconds": round(check.seconds, 3),
            }
            for check in step.checks
        ]
        self._print(
            {
                "chapter": result.chapter,
                "step": result.number,
                "title": step.title,
                "status": step.status,
                "seconds": round(step.seconds, 3),
                "commands": step.commands,
                "checks": checks,
            }
        )

    def summary(self, chapters: int, results: Sequence[Result], seconds: float) -> None:
        counts = {status: count_of(results, status) for status in ENDS}
        self._print({"summary": {"chapters": chapters, "steps": len(results), **counts, "seconds": round(seconds, 3)}})

    def card(self, card: CardRow) -> None:
        self._write(card_line(card))

    def _print(self, value: dict[str, Any]) -> None:
        self._write(msgspec.json.encode(value).decode())

    def _write(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class LineReport:
    """A plain line a step, and one a card, for logs; while an engine is got, one a minute."""

    EVERY: ClassVar[float] = 60.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def plan(self, dues: Sequence[Due]) -> None:
        self._say(plan_words(dues))

    def getting(self, getting: Getting) -> None:
        if words := getting_words(getting):
            self._say(words)

    def chapter(self, name: str, title: str, steps: int) -> None:
        self._say(f"{name}: {title}")

    def running(self, number: int, title: str) -> None: ...

    def step(self, result: Result) -> None:
        for line in describe(result):
            self._say(line)

    def card(self, card: CardRow) -> None:
        for line in describe_card(card):
            self._say(line)

    def summary(self, chapters: int, results: Sequence[Result], seconds: float) -> None:
        self._say(sum_up(chapters, results, seconds))

    def _say(self, line: str) -> None:
        print(line, flush=True)


class BarReport(LineReport):
    """The same lines above a bar that shows where the chapter stands, or how far an engine is in percent."""

    EVERY: ClassVar[float] = 1.0

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(),  # Rich's own may have been made when the output was another one.
        )
        self._progress.start()
        self._task = self._progress.add_task("starting the lab", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def getting(self, getting: Getting) -> None:
        if getting.stage != "installing":
            super().getting(getting)
        left = f", {about(getting.left_s)} left" if getting.left_s else ""
        self._move(description=f"{getting.name}{left}", total=100, completed=round(getting.done * 100))

    def chapter(self, name: str, title: str, steps: int) -> None:
        super().chapter(name, title, steps)
        self._move(description=f"{name}: building its start", total=steps, completed=0)

    def running(self, number: int, title: str) -> None:
        self._move(description=f"{number} {title}", completed=number - 1)

    def step(self, result: Result) -> None:
        super().step(result)
        self._move(completed=result.number)

    def summary(self, chapters: int, results: Sequence[Result], seconds: float) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.remove_task(self._task)
        super().summary(chapters, results, seconds)

    def _say(self, line: str) -> None:
        if self._progress is not None:
            self._progress.console.print(line, markup=False, highlight=False)

    def _move(self, **changes: Any) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, **changes)


def count_of(results: Sequence[Result], status: str) -> int:
    """How many steps ended so."""
    return sum(result.step.status == status for result in results)


def describe(result: Result) -> list[str]:
    """A step in a line, and one for each check that did not hold, or for what it would have needed."""
    step = result.step
    mark = {"passed": "✓", "failed": "✗", "known": "†"}.get(step.status, "○")
    lines = [f"  {mark} {result.number}/{result.of} {step.title} · {step.status} · {step.seconds:.2f} s"]
    if step.status == "skipped":
        return [*lines, *(f"      needs {check.expect}: {check.saw}" for check in step.checks)]
    unmet = [check for check in step.checks if check.status in ("failed", "known")]
    return [*lines, *(f"      expected {check.expect}, saw: {check.saw or 'nothing'}" for check in unmet)]


def describe_card(card: CardRow) -> list[str]:
    """A card in a line, and below it whatever did not hold, with what shows it."""
    what = f"{card.title}: {target_words(card.target)}"
    told = ", ".join(fact.words for fact in facts(card))
    lines = [f"  {VERDICTS[card.verdict]} card {card.number} {what} · {card.verdict} · {told}"]
    for one in card.invariants:
        if one.holds is not True:
            lines.append(f"      {VERDICTS[one.verdict]} {one.name}: {one.words}")
            lines += [f"        {evidence}" for evidence in one.evidence]
    return lines


def sum_up(chapters: int, results: Sequence[Result], seconds: float) -> str:
    """The whole run in one line."""
    passed, failed, known, skipped = (count_of(results, status) for status in ENDS)
    excused = f", {known} known" if known else ""
    told = f"{chapters} chapter{'s' if chapters > 1 else ''}, {len(results)} steps"
    return f"{told}: {passed} passed, {failed} failed{excused}, {skipped} skipped in {seconds:.1f} s"
