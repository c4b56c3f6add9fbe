"""What faults act on: the lab with all that runs there, and commands that the audience sees before they run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rwk_tui.board.frames import Output
from rwk_tui.board.hub import Hub
from rwk_tui.cluster.etcd import UNIT
from rwk_tui.cluster.members import Member
from rwk_tui.cluster.ops import Op, OpResult, RunOp, Tell, commands_of
from rwk_tui.cluster.reshape import Knowledge
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import Lab, LabError, Machine
from rwk_tui.settings import Settings
from rwk_tui.watch.answers import Etcd
from rwk_tui.watch.known import knowledge, members_of
from rwk_tui.watch.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Ground:
    """One lab, its watcher, and how things are set up on it."""

    lab: Lab
    hub: Hub
    watcher: Watcher
    site: Site
    settings: Settings

    def within(self, seconds: float) -> float:
        """A deadline on this backend."""
        return seconds * self.lab.slack

    def machine(self, name: str) -> Machine:
        """A machine by its name. Raises LabError if there is none such."""
        if name not in self.lab.machines:
            raise LabError(f"there is no machine {name!r}")
        return self.lab.machines[name]

    async def etcd(self, machine: str) -> Etcd:
        """A client of that machine's member. Raises EtcdError where it can't be reached."""
        return await self.watcher.etcd(self.machine(machine))

    def known(self) -> Knowledge:
        """What is known of the members, and how to ask a living one."""

        async def live(via: Machine) -> Sequence[Member]:
            return await members_of(await self.watcher.etcd(via))

        return knowledge(self.hub.board, live)

    def members(self) -> list[Machine]:
        """The machines on which an etcd member is configured."""
        return self.site.machines_with(UNIT)

    async def do(self, title: str, ops: Iterable[Op]) -> OpResult:
        """Do operations in order, each command shown before it runs; the last one's result.

        Raises LabError where a command fails.
        """
        result = OpResult()
        for op in ops:
            await self.site.look()
            await op.resolve()
            for command in commands_of(op):
                self._print(title, op.machine, "command", command)
            try:
                async with asyncio.timeout(self.within(self.settings.timeouts.action)):
                    result = await op.run(self.teller(title, op.machine))
            except TimeoutError:
                raise LabError(f"{title.lower()}: it took too long") from None
            if result.exit_code != 0:
                last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
                raise LabError(f"{title.lower()}: ended with {result.exit_code}: {''.join(last)}")
            self.watcher.refresh()
        await self.site.look()
        return result

    async def keep_running(self, title: str, op: RunOp) -> None:
        """Run a command for as long as this is not cancelled, shown like any other. Raises LabError when it fails."""
        for command in commands_of(op):
            self._print(title, op.machine, "command", command)
        result = await op.run(self.teller(title, op.machine))
        if result.exit_code != 0:
            raise LabError(
                f"{title.lower()}: ended with {result.exit_code}: {''.join(result.stderr.splitlines()[-1:])}"
            )

    def teller(self, title: str, machine: str) -> Tell:
        """Where a command that is run for the audience says what it prints."""
        return lambda stream, text: self._print(title, machine, stream, text)

    def _print(self, title: str, machine: str, stream: Literal["command", "out", "err", "note"], text: str) -> None:
        self.hub.print(Output(at=self.hub.now(), step=title, machine=machine, stream=stream, text=text))
