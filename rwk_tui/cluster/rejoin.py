"""Letting a member whose data is worthless join anew: off the list, its data deleted, back as a learner, promoted."""

from __future__ import annotations

from dataclasses import dataclass, field

from rwk_tui.cluster.etcd import UNIT, Style, data_dir
from rwk_tui.cluster.etcdctl import etcdctl
from rwk_tui.cluster.members import find
from rwk_tui.cluster.ops import Op, OpResult, Retry, RunOp, Tell, UnitOp
from rwk_tui.cluster.reshape import SETTLING, Knowledge, add, join, promote
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import Machine
from rwk_tui.settings import Settings


def rejoin(machine: Machine, via: Machine, site: Site, settings: Settings, known: Knowledge) -> tuple[Op, ...]:
    """Stop a machine's member and let it join anew with an empty disk, by the help of the healthy voter on `via`.

    The first operation is the stop. It is configured as members are, whatever it was started with before.
    """
    return (UnitOp(machine, UNIT, "stop"), *join_anew(machine, via, site, settings, known))


def join_anew(machine: Machine, via: Machine, site: Site, settings: Settings, known: Knowledge) -> tuple[Op, ...]:
    """The same for a member that does not run, or a machine that has lost its disk."""
    slack = site.lab.slack
    deadline = settings.timeouts.member_start * slack
    has_member = site.spec(machine.name, UNIT) is not None
    style = Style(site.is_secured(via.name), site.engine((machine if has_member else via).name, UNIT), slack)
    return (
        StrikeOffOp(machine, via, known, deadline, style),
        RunOp(machine, ("rm", "-rf", data_dir(machine))),
        add(machine, via, learner=True, deadline=deadline, style=style),
        join(machine, via, settings, known, style=style),
        promote(machine, via, known, deadline=deadline, style=style),
    )


@dataclass(slots=True)
class StrikeOffOp:
    """Take a machine's member off the list, if it is on it when this is done; `deadline` is in seconds."""

    member: Machine
    via: Machine
    known: Knowledge
    deadline: float
    style: Style
    _id: str = field(default="", init=False)

    @property
    def machine(self) -> str:
        return self.via.name

    async def resolve(self) -> None:
        found = find(await self.known.live(self.via), self.member)
        self._id = found.id if found is not None else ""

    def command(self) -> str:
        return self._remove().command() if self._id else ""

    def _remove(self) -> RunOp:
        how = self.style
        return RunOp(self.via, etcdctl(self.via, "member", "remove", self._id, scheme=how.scheme, slack=how.slack))

    async def run(self, tell: Tell) -> OpResult:
        await self.resolve()
        if not self._id:
            return OpResult()
        return await Retry(self._remove(), SETTLING, self.deadline).run(tell)
