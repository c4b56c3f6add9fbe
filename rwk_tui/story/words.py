"""What a check expects, as a sentence for the audience."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rwk_tui.board.wording import count, listed
from rwk_tui.story import kube_schema as kube
from rwk_tui.story.etcd_schema import Aftermath, NewCertificates
from rwk_tui.story.fault_checks import fault_words
from rwk_tui.story.fault_schema import CardIs, FaultSeen
from rwk_tui.story.kube_schema import is_kube
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
            return f"{listed(_names(on))} {_verb(on, 'serves', 'serve')}"
        case MachineIs(on=on, power=power):
            stands = _verb(on, _POWERS[power], _POWERS[power].replace("its disk", "their disks"))
            return f"{listed(_names(on))} {_verb(on, 'is', 'are')} {stands}"
        case UnitIs(on=on, unit=unit, state=state, restarted=restarted):
            since = {None: "", True: " anew", False: " without a restart"}[restarted]
            return f"{unit} on {on} is {state}{since}"
        case Writes(state=state, of=of):
            through = " through the API" if of == "api" else ""
            return f"writes{through} flow" if state == "flowing" else f"no write{through} is acknowledged"
        case Gap(above_ms=above, below_ms=below, of=of):
            bounds = [f"longer than {_span(above)}" if above else "", f"shorter than {_span(below)}" if below else ""]
            through = " through the API" if of == "api" else ""
            return f"the gap in the writes{through} is {' and '.join(filter(None, bounds))}"
        case Lost(most=most):
            return f"{most or 'no'} acknowledged write{'' if most == 1 else 's'} lost" + (" at most" if most else "")
        case OutputIs(contains=contains, lacks=lacks):
            parts = [f"says {_quoted(contains)}" if contains else "", f"doesn't say {_quoted(lacks)}" if lacks else ""]
            return f"the command {' and '.join(filter(None, parts))}"
        case Hashes(equal=equal):
            return f"{listed(equal)} store the same"
        case Aftermath(backup=backup):
            return "exactly the writes after the backup are gone" if backup else "what is gone is counted"
        case NewCertificates(on=on):
            shows = _verb(on, "shows a new certificate", "show new certificates")
            return f"{listed(_names(on))} {shows} to who connects now"
        case FaultSeen() | CardIs():
            return fault_words(what)
        case _ if is_kube(what):
            return kube_words(what)
    raise TypeError(f"no words for {type(what).__name__}")


def kube_words(what: Part) -> str:
    """The sentence of a check of Kubernetes."""
    match what:
        case kube.ApiIs(on=on, state=state):
            whose = f"{_verb(on, 'server', 'servers')} of {listed(_names(on))}"
            return f"the API {whose} {_verb(on, 'is', 'are')} {state}"
        case kube.Nodes(ready=ready, not_ready=lost):
            parts = [f"{listed(ready)} {_verb(ready, 'is', 'are')} ready" if ready else ""]
            parts.append(f"{listed(lost)} {_verb(lost, 'is', 'are')} not ready" if lost else "")
            return ", ".join(filter(None, parts)) or "nodes can be listed"
        case kube.Pods():
            return _pods(what)
        case kube.DeploymentIs(name=name, exists=False):
            return f"there is no deployment {name}"
        case kube.DeploymentIs(name=name, wanted=wanted, ready=ready):
            parts = [f"wants {count(wanted, 'pod')}" if wanted is not None else ""]
            parts.append(f"has {ready} ready" if ready is not None else "")
            return f"{name} {' and '.join(filter(None, parts)) or 'exists'}"
        case kube.LeaseIs(name=name, holder=holder, other_than=other):
            who = holder or (f"somebody other than {other}" if other else "somebody")
            return f"{who} holds the lease of {name}"
        case kube.VersionIs(on=on, unit=unit, minor=minor):
            return f"{unit} on {listed(_names(on))} is {minor}"
    raise TypeError(f"no words for {type(what).__name__}")


def _pods(what: kube.Pods) -> str:
    where = f" on {what.on}" if what.on else f" elsewhere than on {what.not_on}" if what.not_on else ""
    states = (("run", what.running), ("terminate", what.terminating), ("wait", what.pending))
    told = [(verb, number) for verb, number in states if number is not None]
    parts = [f"{count(number, 'pod')} of {what.of} {_third(number, verb)}" for verb, number in told]
    return f"{', '.join(parts)}{where}" if parts else f"pods of {what.of} can be listed"


def _third(number: int, verb: str) -> str:
    return f"{verb}s" if number == 1 else verb


def _members(what: Members) -> str:
    parts = []
    if what.voters is not None:
        parts.append(f"{listed(what.voters)} {_verb(what.voters, 'votes', 'vote')}" if what.voters else "nobody votes")
    if what.learners is not None:
        learn = f"{listed(what.learners)} {_verb(what.learners, 'learns', 'learn')}"
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


def _verb(on: str | Sequence[str], one: str, several: str) -> str:
    return one if len(_names(on)) == 1 else several


def _span(milliseconds: float) -> str:
    return f"{milliseconds / 1000:g} s" if milliseconds >= 1000 else f"{milliseconds:g} ms"


def _quoted(words: str | Sequence[str]) -> str:
    return " and ".join(f"“{word}”" for word in _names(words))
