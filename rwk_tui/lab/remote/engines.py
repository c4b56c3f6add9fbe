"""The programs that were given to the lab, and which of them each machine has: brought over when first needed."""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rwk_tui.lab.host.disk import said
from rwk_tui.lab.protocol import LabError, Narrator
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.agent import Done

_WORD = re.compile(r"[A-Za-z0-9_.-]+")
_FIND = """
IFS=:
for directory in $2; do
  if [ -f "$directory/$1" ] && [ -x "$directory/$1" ]; then printf %s "$directory/$1"; exit 0; fi
done
exit 1
"""
_EACH = ("(", "-type", "f", "-o", "-type", "l", ")", "-printf", "%y\t%p\t%l\n")


class Place(Protocol):
    """A machine as this module needs it."""

    @property
    def name(self) -> str: ...

    async def exec(self, *argv: str, within: float = 30.0) -> Done: ...

    async def upload(self, file: Path, path: str, sha256: str) -> None:
        """Bring a program over, checked there. Raises LabError."""


@dataclass(frozen=True, slots=True)
class _Identity:
    """By what a file is told from another without reading it."""

    path: Path
    size: int
    changed: int


class Engines:
    """What was given by name; a name with a slash is another version, which is run by that name only."""

    def __init__(self, programs: Mapping[str, Path]) -> None:
        self._given = dict(programs)
        self._sums: dict[_Identity, str] = {}
        self._summing: dict[_Identity, asyncio.Task[str]] = {}
        self.tell: Narrator = lambda machine, line: None

    @property
    def given(self) -> Mapping[str, Path]:
        """Paths on the presenter's computer by name."""
        return self._given

    def provide(self, programs: Mapping[str, Path]) -> None:
        """Have these in place of those before; machines get them when they need them."""
        self._given = dict(programs)

    def needed(self, argv: Sequence[str]) -> list[str]:
        """The names of what a command runs: its program, or what a shell or another interpreter is told of."""
        if argv[0] in self._given:
            return [argv[0]]
        words = {word for argument in argv[1:] for word in _WORD.findall(argument)}
        return [name for name in self._given if "/" not in name and name in words]

    async def checksum(self, name: str) -> str:
        """The SHA-256 of what goes by that name, read in a thread and only once. Raises LabError."""
        identity = self._identity(name)
        if identity not in self._sums:
            if identity not in self._summing:
                self._summing[identity] = asyncio.create_task(asyncio.to_thread(_sum, identity.path))
            try:
                self._sums[identity] = await asyncio.shield(self._summing[identity])
            finally:
                if identity in self._summing and self._summing[identity].done():
                    del self._summing[identity]
        return self._sums[identity]

    def is_other(self, name: str, checksum: str) -> bool:
        """Whether that name is known to mean something else by now, or nothing at all."""
        if name not in self._given:
            return True
        try:
            known = self._sums.get(self._identity(name))
        except LabError:
            return True
        return known is not None and known != checksum

    def size(self, name: str) -> int:
        """Its bytes. Raises LabError."""
        return self._identity(name).size

    def _identity(self, name: str) -> _Identity:
        path = self._given[name]
        with said(f"can't read {path}"):
            found = path.stat()
        return _Identity(path, found.st_size, found.st_mtime_ns)


def _sum(path: Path) -> str:
    with said(f"can't read {path}"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(slots=True)
class _There:
    """What a machine was seen to have: paths of files, and by name the checksum of what a link leads to."""

    files: set[str]
    links: dict[str, str]


class MachineEngines:
    """Which of them one machine has: files by checksum, and links that make up its PATH."""

    def __init__(self, engines: Engines, place: Place) -> None:
        self._engines = engines
        self._place = place
        self._lock = asyncio.Lock()
        self._there: _There | None = None

    def forget(self) -> None:
        """Look anew what it has: it may be another machine by now."""
        self._there = None

    async def bring(self, argv: Sequence[str]) -> None:
        """Have there what that command runs, and nothing that is not given any more. Raises LabError."""
        async with self._lock:
            while not await self._bring_all(argv):
                pass  # there was new contact meanwhile, so what was brought may have gone to another machine

    async def find(self, name: str) -> str | None:
        """The path there of a program, a relative one as from the disk; None if there is none. Raises LabError."""
        if name in self._engines.given:
            return f"{layout.BIN}/{name}"
        directory, _, file = posixpath.join(layout.DISK, name).rpartition("/") if "/" in name else ("", "", name)
        done = await self._place.exec("/bin/sh", "-c", _FIND, "find", file, directory or layout.SYSTEM_PATH)
        return None if done.code else done.out

    async def _bring_all(self, argv: Sequence[str]) -> bool:
        """Whether it still is the machine that it was at the beginning."""
        if self._there is None:
            self._there = await self._look()
        there = self._there
        for name in self._engines.needed(argv):
            await self._bring(name, there)
        if gone := [name for name, sha in there.links.items() if self._engines.is_other(name, sha)]:
            await self._checked("rm", "-f", "--", *(f"{layout.BIN}/{name}" for name in gone))
            for name in gone:
                del there.links[name]
        return self._there is there

    async def _look(self) -> _There:
        done = await self._place.exec("find", layout.BIN, layout.ENGINES, *_EACH)
        there = _There(set(), {})
        for line in done.out.splitlines():
            kind, path, target = line.split("\t")
            if kind == "f" and path.startswith(layout.ENGINES):
                there.files.add(path)
            elif kind == "l":
                checksum = target.removeprefix(f"{layout.ENGINES}/").partition("/")[0]
                there.links[path.removeprefix(f"{layout.BIN}/")] = checksum
        return there

    async def _bring(self, name: str, there: _There) -> None:
        sha = await self._engines.checksum(name)
        path = f"{layout.ENGINES}/{sha}/{name.rpartition('/')[2]}"
        if there.links.get(name) == sha and path in there.files:
            return
        if path not in there.files:
            self._engines.tell(self._place.name, f"gets {name} ({_megabytes(self._engines.size(name))} MB)")
            await self._place.upload(self._engines.given[name], path, sha)
            there.files.add(path)
        link = f"{layout.BIN}/{name}"
        await self._checked("mkdir", "-p", "--", link.rpartition("/")[0])
        await self._checked("ln", "-sfn", "--", path, link)
        there.links[name] = sha

    async def _checked(self, *argv: str) -> None:
        done = await self._place.exec(*argv)
        if done.code:
            raise LabError(f"{self._place.name}: {done.err.strip() or f'{argv[0]}: exit code {done.code}'}")


def _megabytes(size: int) -> int:
    return max(1, round(size / 1e6))
