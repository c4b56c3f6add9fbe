"""The source `download`: the projects' official release files, from them or from a mirror that was set."""

from __future__ import annotations

import errno
import platform
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from rwk_tui.engines.archive import extract
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.fetch import NotServed, Unreachable, fetch, fetch_text
from rwk_tui.engines.pins import EnginePin
from rwk_tui.engines.progress import Track
from rwk_tui.engines.room import NoRoom, check_room, size
from rwk_tui.engines.upstreams import UPSTREAMS
from rwk_tui.settings import Mirrors

PARTIAL = "partial"
"""Where in the engine cache downloads lie that are not finished."""
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(slots=True)
class DownloadSource:
    """Downloads pins one after the other; a server that nobody answers at is not tried again."""

    cache: Path
    mirrors: Mirrors
    say: Callable[[str], None]
    name: str = "download"
    system: str = sys.platform
    machine: str = field(default_factory=platform.machine)
    _dead: dict[str, str] = field(default_factory=dict, init=False)

    def prepare(self, pins: list[EnginePin]) -> None:
        """Say what downloading these will take, and look whether there is room for it."""
        what = ", ".join(pin.name for pin in pins)
        download_mb, keeps_mb = sum(pin.download_mb for pin in pins), sum(pin.keeps_mb for pin in pins)
        self.say(f"downloading {what}: about {size(download_mb)}; {size(keeps_mb)} stay")
        check_room([(self.cache, download_mb + keeps_mb)], f"downloading {what}")

    def make(self, pin: EnginePin, out: Path, track: Track) -> dict[str, str]:
        """Bring the pin's programs to `out`; what comes back goes into the manifest. Raises EngineError."""
        mirror: str = getattr(self.mirrors, pin.engine)
        host = urlsplit(mirror).netloc
        if host in self._dead:
            raise EngineError(self._dead[host])
        partial = self.cache / PARTIAL
        try:
            partial.mkdir(mode=0o700, exist_ok=True)
            out.mkdir()
            self._take(pin, mirror, partial, out, track)
        except Unreachable:
            self._dead[host] = f"{host} can't be reached, as was found before"
            raise
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoom(f"{self.cache}: no space left on device; make room") from None
            raise EngineError(f"{error.filename or self.cache}: {error.strerror or error}") from None
        return {"source": "download", "mirror": mirror}

    def _take(self, pin: EnginePin, mirror: str, partial: Path, out: Path, track: Track) -> None:
        files = self.files(pin)
        sums = self._checksums(pin, mirror, files)
        parts: list[Path] = []
        for number, path in enumerate(files):
            name = PurePosixPath(path).name

            def on_bytes(have: int, whole: int, number: int = number, name: str = name) -> None:
                of = f" of {whole / 1e6:.0f}" if whole else ""
                track.at((number + (have / whole if whole else 0)) / len(files), f"{name}: {have / 1e6:.0f}{of} MB")

            # The checksum is part of the name: what an earlier run left of another file is never gone on with.
            part = partial / f"{pin.directory}-{name}-{sums[path][:12]}.part"
            fetch(f"{mirror}/{quote(path)}", part, sums[path], on_bytes)
            parts.append(part)
        if member := pin.release.member:
            members = {program: member.format(**self._words(pin, program)) for program in pin.programs}
            extract(parts[0], PurePosixPath(files[0]).name, members, out)
            parts[0].unlink()
        else:
            for program, part in zip(pin.programs, parts, strict=True):
                part.rename(out / program)
        for program in pin.programs:
            (out / program).chmod(0o755)

    def files(self, pin: EnginePin) -> list[str]:
        """The paths below the mirror: one a program in the order of `pin.programs`, or one archive with all of them."""
        template = pin.release.files.get(self.system)
        if template is None:
            called = UPSTREAMS[pin.engine].called
            raise EngineError(f"{called} publishes no programs for {self.system}; `--from go` builds them")
        return list(dict.fromkeys(template.format(**self._words(pin, program)) for program in pin.programs))

    def _words(self, pin: EnginePin, program: str) -> dict[str, str]:
        arch = _ARCHITECTURES.get(self.machine.lower())
        if arch is None:
            raise EngineError(f"there are no official programs for {self.machine}; `--from go` builds them")
        return {"version": pin.version, "system": self.system, "arch": arch, "program": program}

    def _checksums(self, pin: EnginePin, mirror: str, files: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in files:
            url = f"{mirror}/{quote(pin.release.sums.format(file=path, version=pin.version))}"
            try:
                text = fetch_text(url)
            except NotServed as error:
                raise NotServed(f"{error}, and without a checksum nothing is taken") from None
            checksum = checksum_of(PurePosixPath(path).name, text)
            if checksum is None:
                raise EngineError(f"{url}: has no SHA-256 of {path.rpartition('/')[2]}")
            found[path] = checksum
        return found


def checksum_of(name: str, text: str) -> str | None:
    """The SHA-256 of a file in a list as sha256sum writes it, or in a text that is one checksum alone."""
    for line in text.splitlines():
        found = re.fullmatch(r"([0-9a-fA-F]{64})(?:\s+\*?(\S+))?\s*", line)
        if found and (found[2] is None or PurePosixPath(found[2]).name == name):
            return found[1].lower()
    return None
