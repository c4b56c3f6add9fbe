"""Chapters that no file holds: each fault of the catalogue, broken, seen and healed; and labs without a story."""

from __future__ import annotations

from rwk_tui.board.targets import confirmation
from rwk_tui.faults.base import Stage
from rwk_tui.faults.kinds import KINDS
from rwk_tui.settings import BadInput
from rwk_tui.story.fault_checks import fault_words
from rwk_tui.story.fault_schema import CardIs, FaultSeen, Heal, Inject
from rwk_tui.story.parts import MACHINES
from rwk_tui.story.schema import Action, Chapter, Check, Starts, Step

PREFIX, BARE = "fault:", "lab:"

STAGES: dict[Stage, Starts] = {
    "etcd": Starts(etcd=MACHINES),
    "secured": Starts(etcd=MACHINES, secured=True),
    "kubernetes": Starts(
        etcd=MACHINES,
        secured=True,
        api=("core-01", "core-02"),
        workers=("core-02", "core-03"),
        deployments={"web": 4},
    ),
}
"""The labs on which faults are shown."""


def is_made(name: str) -> bool:
    """Whether a chapter of that name is made and not told by a file."""
    return name.startswith((PREFIX, BARE))


def made_chapter(name: str) -> Chapter:
    """The chapter called "fault:KIND", "fault:KIND@TARGET" or "lab:STAGE". Raises BadInput, with what there is."""
    if name.startswith(BARE):
        return _bare_lab(name)
    fault, _, target = name.removeprefix(PREFIX).partition("@")
    kind = KINDS.get(fault)
    if kind is None:
        raise BadInput(f"there is no fault {fault!r}: there are {', '.join(KINDS)}")
    if kind.confirm and not target:
        raise BadInput(f"{fault} destroys something: name what it is to hit, as in {PREFIX}{fault}@core-03")
    confirm = confirmation(target) if kind.confirm else ""
    seen = _check("fault", FaultSeen(fault=fault), kind.shows_within)
    card = _check("card", CardIs(fault=fault), kind.well_within + kind.shows_within)
    break_it = Step(
        title=kind.title,
        say=f"{kind.explain}\n\n{kind.look}",
        do=(Action(verb="inject", what=Inject(fault=fault, target=target, confirm=confirm)),),
        expect=(seen,) if kind.healable else (seen, card),
    )
    heal_it = Step(title="Heal it", say=kind.must, do=(Action(verb="heal", what=Heal()),), expect=(card,))
    steps = (break_it, heal_it) if kind.healable else (break_it,)
    return Chapter(name=name, title=kind.title, goal=kind.must, starts=STAGES[kind.stage], steps=steps)


def _bare_lab(name: str) -> Chapter:
    starts = next((starts for stage, starts in STAGES.items() if name == f"{BARE}{stage}"), None)
    if starts is None:
        raise BadInput(f"there is no lab {name!r}: there are {', '.join(BARE + stage for stage in STAGES)}")
    return Chapter(name=name, title="A bare lab", goal="Break it as you like.", starts=starts, steps=())


def _check(verb: str, what: FaultSeen | CardIs, within: float) -> Check:
    return Check(verb=verb, what=what, text=fault_words(what), within=within)
