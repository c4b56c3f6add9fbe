"""Two questions: press one of a few keys, or type a machine's name before it loses its disk."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size

from rwk_tui.cockpit.action import key_name
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.screens.dialog import HERE, Dialog
from rwk_tui.cockpit.screens.sheet import Sheet
from rwk_tui.cockpit.text import Line, Span, Tone, clean, line, wrap


class Note(Sheet):
    """A sheet that is as high as its lines."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines for that width."""
        return len(self.lines_for(max(1, width - 1)))


class Question(Dialog[str]):
    """A small box: the bars above and below it stay in sight."""

    def stream_mark(self, contact: Contact, now: float) -> tuple[str, Tone]:
        """Nothing: the bars say it."""
        return "", "plain"


class Ask(Question):
    """Answers with what belongs to the key that was pressed; any other key does nothing."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "ask.tcss"]

    def __init__(
        self,
        title: str,
        text: str,
        answers: dict[str, tuple[str, str]],
        *,
        may_leave: bool = True,
        hint: str = "Esc stays",
    ) -> None:
        """`answers`: key -> (answer, what it does in words)."""
        super().__init__()
        self._title, self._text, self._answers, self._may_leave, self._hint = title, text, answers, may_leave, hint

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        with Vertical(classes="box"):
            yield Note(id="question", focusable=False)

    def on_mount(self) -> None:
        """Say what the keys do."""
        self.entitle(self._title, self._hint if self._may_leave else "")
        self.query_one("#question", Note).set(self._paint)

    def _paint(self, width: int) -> list[Line]:
        lines = [*wrap(line(clean(self._text)), width), ()]
        for key, (_, words) in self._answers.items():
            lines += wrap((Span(f" {key_name(key)} ", "key"), Span(f"  {words}")), width, 5)
        return lines

    def on_key(self, event: events.Key) -> None:
        """Answer."""
        answer = self._answers.get(event.key)
        if answer is not None:
            event.stop()
            self.dismiss(answer[0])

    def action_leave(self) -> None:
        """Close without an answer, where that is one."""
        if self._may_leave:
            self.dismiss(None)


class NameIt(Question):
    """Asks for a name to be typed; Enter works only when it is right."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [HERE / "base.tcss", HERE / "ask.tcss"]

    def __init__(self, title: str, text: str, name: str) -> None:
        super().__init__()
        self._title, self._text, self._name = title, text, name

    def compose(self) -> ComposeResult:
        """The warning, the field and whether it is right."""
        from textual.widgets import Input

        with Vertical(classes="box"):
            yield Note(id="question", focusable=False)
            yield Input(placeholder=f"type {self._name}", id="name", select_on_focus=False)
            yield Sheet(id="verdict", focusable=False)

    def on_mount(self) -> None:
        """Warn."""
        self.entitle(self._title, "Enter does it once the name is right · Esc leaves")
        self.query_one("#question", Note).set(lambda width: wrap(line((clean(self._text), "plain")), width))
        self._judge("")
        self.query_one("#name").focus()

    def _judge(self, typed: str) -> None:
        right = typed == self._name
        said: Line = line(("✓ Enter does it", "good")) if right else line((f"○ type {self._name} to go on", "muted"))
        self.query_one("#verdict", Sheet).set(lambda width: (said,))

    def on_input_changed(self, event: events.Event) -> None:
        """Judge while it is typed."""
        self._judge(str(getattr(event, "value", "")))

    def on_input_submitted(self, event: events.Event) -> None:
        """Do it, if the name is right."""
        if getattr(event, "value", "") == self._name:
            self.dismiss(self._name)
