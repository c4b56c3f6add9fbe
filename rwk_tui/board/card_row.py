"""The report card of a fault: what it did, how the lab came back, and whether what must hold did hold."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from rwk_tui.board.row import Row

Verdict = Literal["holds", "violated", "not well", "known", "not checked"]
"""How a card or one of its invariants ended; "known" is a violation that a known bug of that etcd explains."""
Domain = Literal["process", "machine", "quorum", "network", "disk", "certificates", "control plane", "nodes"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)
"""The failure domains, in the order in which they are offered."""

KEPT, MONOTONIC, EQUAL, ONE_HOLDER = (
    "every acknowledged write is there",
    "revisions only grow",
    "all members store the same",
    "each lease has one holder",
)
"""What must hold whatever fails, by name."""


class Invariant(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must hold whatever fails: whether it did (None: it could not be checked), and what was seen.

    `evidence` names what broke it, a line each. `known` says of which bug of the engine that is known, "" if of none.
    """

    name: str
    holds: bool | None
    saw: str
    evidence: tuple[str, ...] = ()
    known: str = ""

    @property
    def verdict(self) -> Verdict:
        """How it ended, in one word."""
        if self.holds is None:
            return "not checked"
        if self.holds:
            return "holds"
        return "known" if self.known else "violated"

    @property
    def words(self) -> str:
        """What was seen, and of which bug that is known."""
        return f"{self.saw}; {self.known}" if self.verdict == "known" else self.saw


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """The longest time in which no write of one canary ("etcd" or "api") was acknowledged, in ms.

    For `still_ms` of it the computer that measured it stood still itself.
    """

    of: str
    ms: float
    resolution_ms: float
    still_ms: float = 0.0


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """A lease of the control plane that another machine took, so long (ms) after its holder was lost."""

    lease: str
    machine: str
    ms: float
    resolution_ms: float


class CardRow(Row, frozen=True, kw_only=True, eq=False, tag="card"):
    """One fault from its injection to the lab's being well again; times are unix (s), durations in ms.

    `effect` is what a probe saw of the fault, `effect_ms` after how long; `well_ms` is from the healing until all was
    well. `healed` is 0 for a fault that can't be healed. `evidence` holds lines that belong to the fault itself.
    """

    number: int
    fault: str
    domain: str
    title: str
    target: str
    text: str
    injected: float
    healed: float = 0.0
    effect: str = ""
    effect_ms: float | None = None
    outages: tuple[Outage, ...] = ()
    elected: str = ""
    election_ms: float | None = None
    election_resolution_ms: float = 0.0
    takeovers: tuple[Takeover, ...] = ()
    pods_replaced: int = 0
    well_ms: float | None = None
    acknowledged: int = 0
    invariants: tuple[Invariant, ...] = ()
    evidence: tuple[str, ...] = ()
    verdict: Verdict = "not checked"

    @property
    def key(self) -> str:
        return f"card/{self.number}"

    @property
    def broken(self) -> tuple[Invariant, ...]:
        """The invariants that did not hold, and no known bug of the engine explains it."""
        return tuple(one for one in self.invariants if one.verdict == "violated")

    @property
    def known(self) -> tuple[Invariant, ...]:
        """The invariants that did not hold because of a known bug of the engine."""
        return tuple(one for one in self.invariants if one.verdict == "known")
