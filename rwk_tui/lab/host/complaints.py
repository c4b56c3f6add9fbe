"""What fails in the background, where nobody waits for an answer."""

from __future__ import annotations

from rwk_tui.lab.protocol import Narrator


class Complaints:
    """Each is told once, however often it comes."""

    def __init__(self) -> None:
        self._said: list[tuple[str, str]] = []
        self._hear: Narrator | None = None

    def add(self, machine: str, words: str) -> None:
        """Tell of a failure."""
        if (machine, words) not in self._said:
            self._said.append((machine, words))
            if self._hear is not None:
                self._hear(machine, words)

    def heard_by(self, hear: Narrator) -> None:
        """Have `hear` told of all from now on, and at once of those that came before."""
        self._hear = hear
        for machine, words in self._said:
            hear(machine, words)
