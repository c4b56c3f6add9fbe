"""The lone survivor's way: one member goes on without the others, which are gone for good, as a cluster of one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from rwk_tui.cluster.etcdctl import etcdctl
from rwk_tui.cluster.members import read_members
from rwk_tui.cluster.ops import Op, OpResult, RunOp, Tell, ask
from rwk_tui.cluster.restart import RestartOp
from rwk_tui.cluster.site import Site
from rwk_tui.cluster.spec_changes import with_variable, without_variables
from rwk_tui.lab.protocol import LabError, Machine

FORCE = "ETCD_FORCE_NEW_CLUSTER"
WITHIN = 30.0
"""Seconds until the member must lead a cluster of one, to be multiplied by the backend's slack."""
PAUSE = 0.2


def alone(machine: Machine, site: Site) -> tuple[Op, ...]:
    """Let a machine's member forget the others: restart it forced, see that it leads alone, restart it as usual.

    Only for a member whose peers never come back: two that are forced would be two clusters of the same name.
    """
    # Any later start with the flag, of whatever cause, would throw out the members that joined since.
    forced = RestartOp(machine, site, with_variable(FORCE, "true"), afterwards=without_variables(FORCE))
    return forced, LeadsAloneOp(machine, site), RestartOp(machine, site, without_variables(FORCE))


@dataclass(slots=True)
class LeadsAloneOp:
    """Ask the member itself until it leads a cluster of one; LabError with what it said last if it never does.

    `within` is in seconds, to be multiplied by the backend's slack.
    """

    on: Machine
    site: Site
    within: float = WITHIN
    _why: str = field(default="no answer", init=False)

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        await self.site.look()

    def _etcdctl(self, *arguments: str) -> tuple[str, ...]:
        scheme = self.site.scheme_of(self.on.name)
        return etcdctl(self.on, *arguments, scheme=scheme, slack=self.site.lab.slack)

    def _list(self) -> RunOp:
        return RunOp(self.on, self._etcdctl("member", "list", "-w", "table"))

    def command(self) -> str:
        return self._list().command()

    async def run(self, tell: Tell) -> OpResult:
        deadline = self.within * self.site.lab.slack
        started = time.monotonic()
        while not await self._leads_alone():
            if time.monotonic() - started >= deadline:
                raise LabError(f"{self.on.name} does not lead alone within {deadline:g} s: {self._why}")
            await asyncio.sleep(PAUSE)
        tell("note", f"{self.on.name} leads a cluster of one after {time.monotonic() - started:.1f} s")
        return await self._list().run(tell)

    async def _leads_alone(self) -> bool:
        try:
            self._why = await self._seen()
        except (LabError, TimeoutError) as error:
            self._why = str(error) or "no answer in time"
        return not self._why

    async def _seen(self) -> str:
        """What is still amiss, "" if nothing is."""
        status = await ask(self.on, self._etcdctl("endpoint", "status", "-w", "json", "--command-timeout=2s"))
        if status.exit_code != 0:
            return _last(status)
        leader, own = read_leader(status.stdout)
        if not leader or leader != own:
            return "it does not lead" if leader else "it knows no leader"
        listed = await ask(self.on, self._etcdctl("member", "list", "-w", "json", "--command-timeout=2s"))
        if listed.exit_code != 0:
            return _last(listed)
        names = [member.name or member.id for member in read_members(listed.stdout)]
        return "" if len(names) == 1 else f"its members are still {', '.join(names)}"


class _WireHeader(msgspec.Struct):
    member_id: int = 0


class _WireStatus(msgspec.Struct):
    header: _WireHeader = msgspec.field(default_factory=_WireHeader)
    leader: int = 0


class _WireEndpoint(msgspec.Struct):
    status: _WireStatus = msgspec.field(name="Status", default_factory=_WireStatus)


def read_leader(text: str) -> tuple[int, int]:
    """The leader's ID (0: none) and its own, as one member's `etcdctl endpoint status -w json` tells; or LabError."""
    try:
        answers = msgspec.json.decode(text, type=Sequence[_WireEndpoint])
    except msgspec.DecodeError as error:
        raise LabError(f"etcdctl endpoint status printed something unexpected: {error}") from error
    if len(answers) != 1:
        raise LabError(f"etcdctl endpoint status told of {len(answers)} members instead of one")
    return answers[0].status.leader, answers[0].status.header.member_id


def _last(result: OpResult) -> str:
    return (result.stderr.strip() or result.stdout.strip() or "no answer").splitlines()[-1][:200]
