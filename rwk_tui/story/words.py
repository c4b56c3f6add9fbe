"""What a check expects, as a sentence for the audience."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rwk_tui.story.schema import (
    Gap,
    Hashes,
    Key,
    Leader,
    Lost,
    MachineIs,
    Members,
    OutputIs,
    Part,
    Quorum,
    Serving,
    UnitIs,
    Writes,
)

_POWERS = {"up": "up", "halted": "halted", "off": "without power", "gone": "gone with its disk"}
_QUORUM = {
    "healthy": "every voter is there",
    "degraded": "a majority is there, but not every voter",
    "lost": "no majority is there",
}


def in_words(what: Part) -> str:
    """The sentence; equal checks make equal sentences."""
    match what:
        case Members():
            return _members(what)
        case Leader():
            return _leader(what)
        case Quorum(state=state):
            return _QUORUM[state]
        case Key():
            return _key(what)
        case Serving(on=on):
            return f"{_listed(_names(on))} {_verb(on, 'serves', 'serve')}"
        case MachineIs(on=on, power=power):
            return f"{_listed(_names(on))} {_verb(on, 'is', 'are')} {_POWERS[power]}"
        case UnitIs(on=on, unit=unit, state=state):
            return f"{unit} on {on} is {state}"
        case Writes(state=state):
            return "writes flow" if state == "flowing" else "no write is acknowledged"
        case Gap(above_ms=above, below_ms=below):
            bounds = [f"longer than {_span(above)}" if above else "", f"shorter than {_span(below)}" if below else ""]
            return f"the gap in the writes is {' and '.join(filter(None, bounds))}"
        case Lost(most=most):
            return f"{most or 'no'} acknowledged write{'' if most == 1 else 's'} lost" + (" at most" if most else "")
        case OutputIs(contains=contains, lacks=lacks):
            parts = [f"says {_quoted(contains)}" if contains else "", f"doesn't say {_quoted(lacks)}" if lacks else ""]
            return f"the command {' and '.join(filter(None, parts))}"
        case Hashes(equal=equal):
            return f"{_listed(equal)} store the same"
    raise TypeError(f"no words for {type(what).__name__}")


def _members(what: Members) -> str:
    parts = []
    if what.voters is not None:
        parts.append(f"{_listed(what.voters)} {_verb(what.voters, 'votes', 'vote')}" if what.voters else "nobody votes")
    if what.learners is not None:
        learn = f"{_listed(what.learners)} {_verb(what.learners, 'learns', 'learn')}"
        parts.append(learn if what.learners else "nobody is a learner")
    if what.healthy is not None:
        parts.append(f"{what.healthy} {'is' if what.healthy == 1 else 'are'} healthy")
    return ", ".join(parts)


def _leader(what: Leader) -> str:
    if what.other_than:
        return f"a leader other than {what.other_than}"
    return {"any": "there is a leader", "none": "there is no leader"}.get(what.who, f"{what.who} leads")


def _key(what: Key) -> str:
    how = " without asking the others" if what.read == "serializable" else ""
    if not what.answers:
        return f"{what.via} can't answer for {what.name}{how}"
    if what.value is msgspec.UNSET:
        return f"{what.via} answers for {what.name}{how}"
    return f"{what.via} answers{how}: " + (f"no {what.name}" if what.value is None else f"{what.name} is {what.value}")


def _names(on: str | Sequence[str]) -> Sequence[str]:
    return (on,) if isinstance(on, str) else on


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _verb(on: str | Sequence[str], one: str, several: str) -> str:
    return one if len(_names(on)) == 1 else several


def _span(milliseconds: float) -> str:
    return f"{milliseconds / 1000:g} s" if milliseconds >= 1000 else f"{milliseconds:g} ms"


def _quoted(words: str | Sequence[str]) -> str:
    return " and ".join(f"“{word}”" for word in _names(words))
