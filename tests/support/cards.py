"""Report cards for tests: one that is as it should be, and one of each kind that is not."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from rwk_tui.board.card_row import CardRow, Invariant, Outage, Takeover

AT = 1_795_480_200.0
"""When the fault of every card was injected (unix, s)."""
KEPT = Invariant(
    name="every acknowledged write is there", holds=True, saw="0 of 1812 acknowledged writes lost", evidence=()
)
GREW = Invariant(name="revisions only grow", holds=True, saw="revisions only grew")
EQUAL = Invariant(name="all members store the same", holds=True, saw="hashkv equal on 3 members")
LOST = Invariant(
    name="every acknowledged write is there",
    holds=False,
    saw="2 of 1812 acknowledged writes lost",
    evidence=("/rwk/canary/0000000421 was acknowledged as 421, nobody stores it", "/rwk/canary/0000000422: likewise"),
)
DIFFERS = Invariant(
    name="all members store the same",
    holds=False,
    saw="hashkv DIFFERS on 3 members",
    evidence=("core-02 stores /colour = `re|d`, the others blue",),
)


BUG = "known of etcd 3.5.1: etcd#13766"


def card(number: int = 1, **values: Any) -> CardRow:
    """A card of a leader that lost its power, with nothing amiss."""
    known: dict[str, Any] = {
        "seen_at": AT + 40,
        "fault": "power-cut",
        "domain": "machine",
        "title": "Cut the power",
        "target": "core-01",
        "text": "core-01 lost its power",
        "injected": AT,
        "healed": AT + 23,
        "effect": "core-01 is off",
        "effect_ms": 210.0,
        "outages": (Outage(of="etcd", ms=1360.0, resolution_ms=50.0),),
        "elected": "core-02",
        "election_ms": 1302.0,
        "election_resolution_ms": 50.0,
        "well_ms": 3210.0,
        "acknowledged": 1812,
        "invariants": (KEPT, GREW, EQUAL),
        "verdict": "holds",
    }
    return CardRow(**{**known, "number": number, **values})


def violated(number: int = 2, **values: Any) -> CardRow:
    """A card of a corruption that cost writes."""
    known: dict[str, Any] = {
        "fault": "corrupt-value",
        "domain": "disk",
        "title": "Corrupt a value",
        "target": "core-02/etcd",
        "text": "a value on core-02 was changed behind etcd's back",
        "effect": "hashkv differs on core-02",
        "outages": (),
        "elected": "",
        "election_ms": None,
        "invariants": (LOST, GREW, DIFFERS),
        "evidence": ("/colour on core-02: red, elsewhere blue",),
        "verdict": "violated",
    }
    return card(number, **{**known, **values})


def not_well(number: int = 3, **values: Any) -> CardRow:
    """A card of a lab that did not come back, and of a fault that no probe saw."""
    taken = (Takeover(lease="kube-scheduler", machine="core-02", ms=15200.0, resolution_ms=1000.0),)
    known: dict[str, Any] = {
        "title": "Cut links",
        "target": "core-01>core-02+core-03",
        "text": "core-01 can't reach core-02, core-03",
        "effect": "",
        "effect_ms": None,
        "outages": (
            Outage(of="etcd", ms=40_000.0, resolution_ms=50.0),
            Outage(of="api", ms=42_000.0, resolution_ms=100.0),
        ),
        "takeovers": taken,
        "pods_replaced": 4,
        "well_ms": None,
        "verdict": "not well",
    }
    return card(number, **{**known, **values})


def known(number: int = 4, **values: Any) -> CardRow:
    """A card on which an etcd did what it is known for."""
    invariants = tuple(replace(one, known=BUG) if one.holds is False else one for one in (LOST, GREW, DIFFERS))
    return card(number, **{"invariants": invariants, "verdict": "known", **values})
