"""Faults of the network that let everything through, but late, unevenly, or not at the first try."""

from __future__ import annotations

from rwk_tui.faults import network_wishes as wishes
from rwk_tui.faults.base import Case, Sight
from rwk_tui.faults.ground import Ground
from rwk_tui.faults.network import MachineLinks
from rwk_tui.faults.reads import can_ask, read_ms

PATIENCE = 5.0
"""Seconds that a read may take."""
READS = 8
"""Reads from which it is told how uneven they are."""


class Delay(MachineLinks):
    """What passes the links of one machine is held back, in both directions."""

    name = wishes.DELAY
    title = "Slow its network down"
    explain = f"Each byte from and to the machine comes {wishes.WISHES[wishes.DELAY].delay_ms:g} ms late, both ways."
    look = "What asks that member waits for the way there and back. If it leads, every write does."
    must = "Slow is not dead: no election, as long as heartbeats come within the election timeout; nothing is lost."

    def why_not(self, ground: Ground) -> str:
        return ground.lab.lacks("delay")

    def done(self, target: str) -> str:
        return f"the network of {target} became slow"

    def undone(self, target: str) -> str:
        return f"the network of {target} is as fast as ever"

    async def shows(self, case: Case) -> Sight | None:
        wish = wishes.WISHES[self.name]
        if not can_ask(case, case.target):
            return _as_set(case, wish, f"what {case.target} sends and hears comes {wish.delay_ms:g} ms late")
        took = await read_ms(case, case.target, PATIENCE)
        return Sight(f"a read through {case.target} took {took:.0f} ms") if took >= wish.delay_ms else None


class Jitter(MachineLinks):
    """What passes the links of one machine is held back, sometimes long and sometimes hardly at all."""

    name = wishes.JITTER
    title = "Make its network uneven"
    explain = (
        f"What goes from and to the machine comes {wishes.WISHES[wishes.JITTER].delay_ms:g} ms late, "
        f"give or take {wishes.WISHES[wishes.JITTER].jitter_ms:g}."
    )
    look = "One write takes a moment, the next one several times as long."
    must = "Order is kept and nothing is lost; uneven is not dead, so the leader stays."

    def why_not(self, ground: Ground) -> str:
        return ground.lab.lacks("delay")

    def done(self, target: str) -> str:
        return f"the network of {target} became uneven"

    def undone(self, target: str) -> str:
        return f"the network of {target} is even again"

    async def shows(self, case: Case) -> Sight | None:
        wish = wishes.WISHES[self.name]
        if not can_ask(case, case.target):
            words = f"what {case.target} sends and hears comes {wish.delay_ms:g} ± {wish.jitter_ms:g} ms late"
            return _as_set(case, wish, words)
        took = [await read_ms(case, case.target, PATIENCE) for _ in range(READS)]
        fastest, slowest = min(took), max(took)
        # Each read waits at least two times, there and back; evenly late ones would differ by some ms only.
        if slowest < wish.delay_ms or slowest - fastest < wish.jitter_ms / 2:
            return None
        return Sight(f"{READS} reads through {case.target} took {fastest:.0f} to {slowest:.0f} ms")


class Loss(MachineLinks):
    """Some of the packets that pass the links of one machine are dropped."""

    name = wishes.LOSS
    title = "Lose packets"
    explain = f"Of the packets from and to the machine {wishes.WISHES[wishes.LOSS].loss:.0%} are dropped."
    look = "TCP sends them again and backs off: some requests are quick, others take seconds."
    must = "Whatever is acknowledged is kept; a leader that is heard too seldom is replaced."

    def why_not(self, ground: Ground) -> str:
        return ground.lab.lacks("packet loss")

    def done(self, target: str) -> str:
        return f"the network of {target} loses packets"

    def undone(self, target: str) -> str:
        return f"the network of {target} loses nothing any more"

    async def shows(self, case: Case) -> Sight | None:
        wish = wishes.WISHES[self.name]
        seen = _as_set(case, wish, f"{wish.loss:.0%} of the packets of {case.target} are lost")
        if seen is None or not can_ask(case, case.target):
            return seen
        took = [await read_ms(case, case.target, PATIENCE) for _ in range(READS)]
        return Sight(f"{seen.words}; {READS} reads through it took {min(took):.0f} to {max(took):.0f} ms")


def _as_set(case: Case, wish: wishes.Wish, words: str) -> Sight | None:
    """Where no etcd could feel it, what the links themselves say of how they are; another fault may want more."""
    links = wishes.links_on(case.ground.hub.board, case.target)
    done = [
        row.delay_ms >= wish.delay_ms and row.jitter_ms >= wish.jitter_ms and row.loss >= wish.loss for row in links
    ]
    return Sight(words) if done and all(done) else None
