"""What stands on the screen of a program in a pseudo terminal: as much of a terminal as Textual asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

TOKEN = re.compile(
    r"\x1b\[(?P<private>[?<>=]?)(?P<numbers>[\d;:]*)[ -/]*(?P<final>[@-~])"  # a control sequence
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^X][^\x1b]*\x1b\\|\x1b[()][A-Za-z0-9]|\x1b[A-Za-z0-9=><]"
    r"|(?P<text>[^\x00-\x1f\x7f]+)|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])"
)


class Screen:
    """Cells of text without colours; feed it what the program writes."""

    def __init__(self, columns: int = 120, rows: int = 40) -> None:
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0
        self._rest = ""
        self._undecoded = b""

    def feed(self, data: bytes) -> None:
        """Take what the program wrote; what is not whole yet waits for its rest."""
        text = self._rest + self._decode(data)
        end = 0
        for token in self._tokens(text):
            end = token.end()
            if token["text"] is not None:
                self._write(token["text"])
            elif token["control"] is not None:
                self._control(token["control"])
            elif token["final"] is not None and not token["private"]:
                self._sequence(token["numbers"], token["final"])
        self._rest = text[end:]

    def lines(self) -> list[str]:
        """The screen, a line a row."""
        return ["".join(row).rstrip() for row in self.cells]

    def _decode(self, data: bytes) -> str:
        data, keep = self._undecoded + data, 0
        for back in range(1, min(4, len(data)) + 1):  # a character of several bytes may still be on its way
            byte = data[-back]
            if byte & 0xC0 == 0xC0:
                length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
                keep = back if length > back else 0
                break
            if byte < 0x80:
                break
        self._undecoded = data[len(data) - keep :]
        return data[: len(data) - keep].decode("utf-8", "replace")

    @staticmethod
    def _tokens(text: str) -> Iterator[re.Match[str]]:
        """One after another, up to the first that is not whole yet."""
        at = 0
        while at < len(text):
            token = TOKEN.match(text, at)
            if token is None:
                return
            yield token
            at = token.end()

    def _sequence(self, numbers: str, final: str) -> None:
        values = [int(number) if number.isdigit() else 0 for number in numbers.split(";")]
        if final in "Hf":
            self._row = min(max(values[0], 1), self.rows) - 1
            self._column = min(max(values[1] if len(values) > 1 else 1, 1), self.columns) - 1
        elif final == "J" and values[0] == 2:
            self.cells = [[" "] * self.columns for _ in range(self.rows)]
        elif final == "K":
            self.cells[self._row][self._column :] = [" "] * (self.columns - self._column)
        elif final in "ABCD":
            by = max(values[0], 1)
            self._row = min(max(self._row + {"A": -by, "B": by}.get(final, 0), 0), self.rows - 1)
            self._column = min(max(self._column + {"C": by, "D": -by}.get(final, 0), 0), self.columns - 1)

    def _control(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row = min(self._row + 1, self.rows - 1)

    def _write(self, text: str) -> None:
        row = self.cells[self._row]
        for character in text:
            width = cell_len(character)
            if self._column >= self.columns:
                return
            row[self._column] = character
            if width == 2 and self._column + 1 < self.columns:
                row[self._column + 1] = ""
            self._column += max(1, width)
