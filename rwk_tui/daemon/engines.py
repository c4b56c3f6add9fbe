"""The engines that can be run here: as rows, as a line for people, as directories for a PATH."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.engines.pins import EnginePin, engine_pins
from rwk_tui.engines.progress import on_this_machine
from rwk_tui.engines.room import size
from rwk_tui.engines.sets import EngineSet, find_set
from rwk_tui.engines.upstreams import UPSTREAMS
from rwk_tui.settings import Settings


class Engines:
    """What was found, and who wants to hear when more is there."""

    def __init__(self, settings: Settings, hub: Hub, found: EngineSet) -> None:
        self._settings = settings
        self._hub = hub
        self._listeners: list[Callable[[], None]] = []
        self.found = found
        self.pins = engine_pins()
        self.publish()

    @property
    def words(self) -> str:
        """What the lab runs, in one line for people."""
        return in_words(self.found)

    @property
    def path(self) -> tuple[str, ...]:
        """The directories in which a shell finds what the lab runs."""
        return places(self.found.programs)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever something else was found."""
        self._listeners.append(listener)

    async def look(self) -> None:
        """Look again, in a thread. Raises EngineError if not even etcd can be run any more."""
        self.found = await asyncio.to_thread(find_set, self._settings)
        for listener in self._listeners:
            listener()

    def publish(self, *, but: Collection[str] = ()) -> None:
        """Put every engine on the board as it was found, but for those that somebody else has more to say about."""
        rows = (self._row(pin) for pin in self.pins.values() if pin.name not in but)
        self._hub.publish(*rows)

    def _row(self, pin: EnginePin) -> EngineRow:
        now, version, stays = self._hub.now(), self.found.versions.get(pin.name), pin.keeps_mb * 1_000_000
        if version:
            return EngineRow(seen_at=now, name=pin.name, version=version, state="ready", done=1.0, size=stays)
        return EngineRow(
            seen_at=now,
            name=pin.name,
            version=pin.version,
            state="missing",
            text=self._what_to_do(pin),
            left_s=on_this_machine(pin.minutes),
            size=stays,
        )

    def _what_to_do(self, pin: EnginePin) -> str:
        way = f"`rwk-tui engines install {pin.name}` gets it"
        why = self.found.missing.get(pin.name, "")
        if why and not why.endswith(way):
            return why  # there is something, but it is no good
        return f"building {pin.name}, where it can't be downloaded, takes {size(pin.build_mb)} of disk for a while"


def called(name: str) -> str:
    """An engine as people call it: "Kubernetes 1.37" for "kubernetes-1.37"."""
    upstream, _, minor = name.partition("-")
    return f"{UPSTREAMS[upstream].called if upstream in UPSTREAMS else upstream} {minor}".strip()


def in_words(found: EngineSet) -> str:
    """What a lab runs by default, in one line."""
    parts = []
    for name in ("etcd", "kubernetes"):
        if name in found.versions:
            remark = found.verdicts.get(name, "")
            parts.append(f"{called(name)} {found.versions[name]}" + (f" ({remark})" if remark else ""))
    return ", ".join(parts)


def beside(running: Mapping[str, Path], found: Mapping[str, Path]) -> dict[str, Path]:
    """What was found, but what runs keeps its plain names: no member may come back as another version in a chapter."""
    return {**found, **{name: path for name, path in running.items() if "/" not in name}}


def places(programs: Mapping[str, Path]) -> tuple[str, ...]:
    """The directories of the default programs, those last that hold another program of a name that is wanted."""
    plain = {name: path for name, path in programs.items() if "/" not in name}

    def hides(place: Path) -> int:
        return sum(path.parent != place and (place / name).exists() for name, path in plain.items())

    return tuple(str(place) for place in sorted(dict.fromkeys(path.parent for path in plain.values()), key=hides))
