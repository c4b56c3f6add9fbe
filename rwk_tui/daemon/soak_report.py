"""How a soak tells what happens: JSON lines, or lines for people; and what it all came to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.card_words import card_values
from rwk_tui.board.wording import seconds, stood_still


@dataclass(slots=True)
class Totals:
    """What a soak came to; `lost` counts acknowledged writes, `violations` invariants that did not hold.

    What a known bug of the engine explains is no violation: `known` counts such invariants, `lost_known` such writes.
    """

    seed: int
    faults: int = 0
    healed: int = 0
    acknowledged: int = 0
    lost: int = 0
    lost_known: int = 0
    violations: int = 0
    known: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nothing was lost or violated, but for what is known, and everything was healed."""
        return self.lost == self.lost_known and not self.violations and self.healed == self.faults


@dataclass(frozen=True, slots=True)
class Resources:
    """What the daemon and its lab took at one moment: memory of the daemon (bytes), its descriptors, all processes."""

    rss: int
    descriptors: int
    processes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Struck:
    """One fault of a soak as it ended; `problem` says what went wrong, "" if nothing did."""

    number: int
    fault: str
    target: str
    hold: float
    cards: tuple[CardRow, ...]
    problem: str = ""


@dataclass(slots=True)
class SoakReport:
    """Tells a soak line by line on stdout; `json` for machines."""

    json: bool
    of: int
    cards: list[CardRow] = field(default_factory=list)

    def begins(self, seed: int, stage: str, pool: Sequence[str], excluded: dict[str, str]) -> None:
        """What will be drawn from, and what can't be done here."""
        if self.json:
            self._json({"soak": {"seed": seed, "stage": stage, "faults": self.of, "pool": pool, "excluded": excluded}})
            return
        self._say(f"soak of {self.of} faults, seed {seed}, on {stage}: {', '.join(pool)}")
        for name, why in excluded.items():
            self._say(f"  not {name}: {why}")

    def struck(self, one: Struck, resources: Resources) -> None:
        """A fault was healed, or could not be."""
        self.cards += one.cards
        if self.json:
            line: dict[str, Any] = {
                name: getattr(one, name) for name in ("number", "fault", "target", "hold", "problem")
            }
            line["cards"] = [card_values(card) for card in one.cards]
            line["resources"] = {"rss": resources.rss, "descriptors": resources.descriptors}
            self._json(line)
            return
        bugs = dict.fromkeys(each.known for card in one.cards for each in card.known)
        mark = "✗" if one.problem else "†" if bugs else "✓"
        well = max((card.well_ms or 0.0 for card in one.cards), default=0.0)
        outages = [outage for card in one.cards for outage in card.outages]
        words = one.problem or f"well after {seconds(well)}"
        stopped = "".join(
            f", {outage.of} writes stopped for {seconds(outage.ms)}{stood_still(outage.still_ms)}" for outage in outages
        )
        said = "".join(f", {bug}" for bug in bugs)
        self._say(f"  {mark} {one.number}/{self.of} {one.fault} {one.target} · {words}{stopped}{said}")

    def ends(self, totals: Totals, first: Resources | None, last: Resources | None, replay: str, problem: str) -> None:
        """The whole soak: what went wrong and how to see it again, if anything did; the last line is the summary."""
        if self.json:
            if first is not None and last is not None:
                self._json(
                    {
                        "resources": {
                            "rss": [first.rss, last.rss],
                            "descriptors": [first.descriptors, last.descriptors],
                            "processes": [len(first.processes), len(last.processes)],
                        }
                    }
                )
            if replay:
                self._json({"failed": problem, "replay": replay})
            self._json({"summary": {**asdict(totals), "seconds": round(totals.seconds, 3)}})
            return
        if first is not None and last is not None:
            self._say(
                f"daemon: {first.rss / 1e6:.0f} → {last.rss / 1e6:.0f} MB, {first.descriptors} → {last.descriptors} "
                f"descriptors, {len(first.processes)} → {len(last.processes)} processes"
            )
        excused = f", {totals.known} known" if totals.known else ""
        self._say(
            f"{totals.healed} of {totals.faults} faults healed, {totals.lost} of {totals.acknowledged} acknowledged "
            f"writes lost, {totals.violations} violations{excused}, in {totals.seconds:.0f} s, seed {totals.seed}"
        )
        if replay:
            self._say(f"failed: {problem}")
            self._say(f"again up to there: {replay}")

    def _json(self, value: dict[str, Any]) -> None:
        self._say(msgspec.json.encode(value).decode())

    def _say(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
