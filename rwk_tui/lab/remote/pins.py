"""The host keys of our machines: taken on first contact, and nothing else is trusted until the machine is destroyed."""

from __future__ import annotations

from pathlib import Path

from rwk_tui.lab.protocol import LabError
from rwk_tui.private import make_private, write_whole

_HEADER = "# Host keys of the lab's machines, as they showed them on first contact. A line that goes is taken anew.\n"


class Pins:
    """Host keys by machine, in a file of OpenSSH's known_hosts format that nobody else may read."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def file(self) -> Path:
        """Where they are, for people."""
        return self._file

    def of(self, machine: str) -> tuple[str, ...]:
        """The keys that this machine is known by ("ssh-ed25519 AAAA…"), () if it is new. Raises LabError."""
        return tuple(key for name, key in self._read() if name == machine)

    def take(self, machine: str, key: str) -> None:
        """Know the machine by this key from now on, and by no other. Raises LabError."""
        kept = [(name, other) for name, other in self._read() if name != machine]
        self._write([*kept, (machine, " ".join(key.split()[:2]))])

    def forget(self, machine: str) -> None:
        """The machine is destroyed: the next one of that name may show any key. Raises LabError."""
        pins = self._read()
        kept = [(name, key) for name, key in pins if name != machine]
        if kept != pins:
            self._write(kept)

    def _read(self) -> list[tuple[str, str]]:
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"can't read the host keys in {self._file} ({error}); remove the file") from error
        entries = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
        if any(len(entry) != 2 for entry in entries):
            raise LabError(f"{self._file} is damaged: each line is a machine and its key; remove the file")
        return [(name, key.strip()) for name, key in entries]

    def _write(self, pins: list[tuple[str, str]]) -> None:
        text = _HEADER + "".join(f"{name} {key}\n" for name, key in sorted(pins))
        try:
            make_private(self._file.parent)
            write_whole(self._file, text.encode())
        except OSError as error:
            raise LabError(f"can't write the host keys to {self._file}: {error.strerror}") from error
