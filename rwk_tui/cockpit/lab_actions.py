"""What the presenter does with the lab itself."""

from __future__ import annotations

from rwk_tui.cockpit.action import Action, looks, opening, ready
from rwk_tui.cockpit.situation import Situation
from rwk_tui.daemon.protocol import Detach


def settled(now: Situation) -> bool:
    """The lab is not on its way from one phase to another, in which the daemon refuses all that needs its machines."""
    return now.ready or now.choosing


LAB: tuple[Action, ...] = (
    Action(
        "machines",
        ("m",),
        "machines",
        "Switch a machine on or off by hand, cut its power, destroy it",
        "lab",
        opening("machines"),
        lambda now: ready(now) and now.machines,
        13,
    ),
    Action(
        "logs",
        ("l",),
        "logs",
        "Follow what a unit writes",
        "lab",
        opening("logs"),
        lambda now: (now.talks or looks(now)) and settled(now) and now.units,
        6,
    ),
    Action(
        "shell",
        ("exclamation_mark",),
        "shell",
        "A shell on a machine, in this terminal; exit comes back here",
        "lab",
        opening("shell"),
        lambda now: ready(now) and now.machines,
    ),
    Action(
        "install",
        ("g",),
        "get engines",
        "Get the engines that are missing (asks first), or break off their install",
        "lab",
        opening("install"),
        lambda now: now.talks and settled(now) and now.engines,
        18,
    ),
    Action(
        "reset",
        ("R",),
        "reset",
        "Begin anew with three empty machines (asks first)",
        "lab",
        opening("reset"),
        lambda now: now.talks and settled(now),
        15,
    ),
    Action(
        "again",
        ("a",),
        "start again",
        "Start the lab again after it was lost",
        "lab",
        lambda deck: deck.reconnect(),
        lambda now: now.down and not now.viewer,
        16,
    ),
    Action(
        "detach",
        ("d",),
        "detach",
        "Leave, and let the lab run on",
        "lab",
        lambda deck: deck.leave(Detach()),
        lambda now: now.talks,
        14,
    ),
)
