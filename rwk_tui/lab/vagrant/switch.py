"""Virtual machines switched on and off by Vagrant."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from rwk_tui.board.rows import Power
from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.host.show import as_word
from rwk_tui.lab.protocol import Ability, LabError, MachineVerb, Narrator
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.switch import DROP_DEAD
from rwk_tui.lab.vagrant.attempt import Attempt
from rwk_tui.lab.vagrant.command import Command, Stopped
from rwk_tui.lab.vagrant.errors import NO_VAGRANT, cannot_run, explain
from rwk_tui.lab.vagrant.logins import parse_login
from rwk_tui.lab.vagrant.output import Clean
from rwk_tui.lab.vagrant.turns import Turns
from rwk_tui.lab.vagrant.vagrantfile import Place, addresses
from rwk_tui.settings import Settings

_T = TypeVar("_T")
_ASK_WITHIN = 60.0
_VERBS: dict[MachineVerb, str] = {
    "start": "up",
    "stop": "halt",
    "destroy": "destroy --force",
}
_POWERS: dict[str, Power] = {
    "running": "up",
    "poweroff": "halted",
    "shutoff": "halted",
    "stopped": "halted",
    "saved": "halted",
    "suspended": "halted",
    "not_running": "halted",
    "aborted": "off",
    "crashed": "off",
    "gurumeditation": "off",
    "not_created": "gone",
}


class VagrantSwitch:
    """Each machine does one thing at a time; whoever is cancelled is let go at once, and Vagrant is interrupted.

    The next thing waits until the interrupted Vagrant has ended, for Vagrant locks a machine even while it looks at it:
    a question is broken off when there is something to do. Methods that run Vagrant raise LabError.
    """

    owns_power = True

    def __init__(self, settings: Settings) -> None:
        self._place = Place.of(settings)
        self._addresses = addresses(settings.vagrant)
        # One thread for each machine, and one for a look at the slow truth.
        self._pool = ThreadPoolExecutor(len(MACHINES) + 1, thread_name_prefix="vagrant")
        self._locks = {name: asyncio.Lock() for name in MACHINES}
        self._done = dict.fromkeys(MACHINES, 0)
        self._questions: dict[str, Attempt] = {}
        self._turns = Turns()
        self._looking = asyncio.Lock()
        self._attempts: dict[asyncio.Future[Any], Attempt] = {}
        self._tell: Narrator | None = None
        self._complain: Narrator | None = None

    async def start(self, machine: str) -> None:
        """Make the machine if it does not exist, and switch it on."""

        async def up(attempt: Attempt) -> None:
            await self._prepare(machine)
            provider = self._place.provider_of(machine)
            wanted = None if provider else self._place.settings.provider or None
            turn = await self._turns.take(provider)
            hear = turn.hearing(self._hearing(machine))

            def bring_up(command: Command) -> None:
                for line in command.up(vm_name=machine, provider=wanted, stream_output=True):
                    hear(line)

            try:
                await self._run("up", machine, attempt, bring_up)
            finally:
                turn.give_back()

        await self._act(machine, up)

    async def stop(self, machine: str) -> None:
        """Halt it gracefully."""
        await self._simply(machine, "halt", lambda command: command.halt(vm_name=machine))

    async def kill(self, machine: str) -> None:
        """Cut its power."""
        await self._simply(machine, "halt --force", lambda command: command.halt(vm_name=machine, force=True))

    async def destroy(self, machine: str) -> None:
        """Lose it with its disk."""

        async def away(attempt: Attempt) -> None:
            await self._prepare(machine)
            turn = await self._turns.take(self._place.provider_of(machine), ending=True)
            try:
                await self._run("destroy --force", machine, attempt, lambda command: command.destroy(vm_name=machine))
            finally:
                turn.give_back()

        await self._act(machine, away)

    async def login(self, machine: str) -> Login:
        """How to log in to it now; MachineDown if it is not up."""
        await self._prepare(machine)
        text = await self._ask("ssh-config", machine, lambda command: str(command.ssh_config(vm_name=machine)))
        return parse_login(text, machine)

    async def look(self, machine: str) -> Power | None:
        """What Vagrant says of it, which takes seconds; None if it is switched meanwhile, or if Vagrant can't tell."""
        async with self._locks[machine]:
            pass  # A Vagrant that was interrupted tidies up first, and what it leaves is what is asked for.
        async with self._looking:
            before = self._done[machine]
            if self._locks[machine].locked():
                return None
            try:
                await self._prepare(machine)
                found = await self._ask("status", machine, lambda command: list(command.status(vm_name=machine)))
            except LabError:
                return None
            if self._locks[machine].locked() or self._done[machine] != before:
                return None
            state = next((str(status.state) for status in found if status.name == machine), "")
            return _POWERS.get(state.replace(" ", "_"))

    async def exists(self) -> Mapping[str, Power]:
        """The machines that Vagrant has made, without asking it: whether they run is not known."""

        def made() -> dict[str, Power]:
            return {name: "halted" for name in MACHINES if self._place.provider_of(name)}

        return await asyncio.to_thread(made)

    def address(self, machine: str) -> str:
        """Its address on the network that the machines share."""
        return self._addresses[machine]

    def show(self, verb: MachineVerb, machine: str) -> str:
        if verb == "kill":  # what providers call force may be a polite request: it is only asked where nobody answers
            return self.show_on(f"sudo {DROP_DEAD}", machine)
        return f"vagrant {_VERBS[verb]} {machine}"

    def show_on(self, command: str, machine: str) -> str:
        """That command line as typed here for that machine."""
        return f"vagrant ssh {machine} -c {as_word(command)}"

    def lacks(self, ability: Ability) -> str:
        return ""

    def narrate(self, tell: Narrator, complain: Narrator) -> None:
        """Have `tell` hear, in the event loop, what Vagrant prints, and `complain` what differs from the settings."""
        self._tell, self._complain = tell, complain

    async def close(self) -> None:
        """Interrupt what Vagrant does and wait for its end; machines run on."""
        for task, attempt in list(self._attempts.items()):
            attempt.give_up(task)
        if self._attempts:
            await asyncio.wait(list(self._attempts))
        await asyncio.to_thread(self._pool.shutdown)

    # -- how Vagrant is run

    async def _simply(self, machine: str, verb: str, work: Callable[[Command], None]) -> None:
        async def do(attempt: Attempt) -> None:
            await self._prepare(machine)
            await self._run(verb, machine, attempt, work)

        await self._act(machine, do)

    async def _act(self, machine: str, do: Callable[[Attempt], Coroutine[Any, Any, None]]) -> None:
        """Do something with the machine when nothing else is being done with it."""

        async def in_order(attempt: Attempt) -> None:
            if machine in self._questions:
                self._questions[machine].stop.wish()
            elif self._locks[machine].locked():
                self._told(machine, "waits until the earlier vagrant command has ended")
            async with self._locks[machine]:
                try:
                    await do(attempt)
                finally:
                    self._done[machine] += 1

        await self._apart(in_order)

    async def _ask(self, verb: str, machine: str, work: Callable[[Command], _T]) -> _T:
        """Ask Vagrant something that changes nothing."""

        async def in_order(attempt: Attempt) -> _T:
            async with self._locks[machine]:
                self._questions[machine] = attempt
                loop = asyncio.get_running_loop()
                late = loop.call_later(_ASK_WITHIN, attempt.stop.wish)
                try:
                    return await self._run(verb, machine, attempt, work)
                except LabError:
                    if loop.time() >= late.when():
                        raise LabError(f"vagrant {verb} {machine}: no answer for {_ASK_WITHIN:g} s") from None
                    raise
                finally:
                    late.cancel()
                    del self._questions[machine]

        return await self._apart(in_order)

    async def _apart(self, do: Callable[[Attempt], Coroutine[Any, Any, _T]]) -> _T:
        """Do it in a task of its own, so that whoever cancels us need not wait until Vagrant has ended."""
        attempt = Attempt()
        task = asyncio.ensure_future(do(attempt))
        self._attempts[task] = attempt
        task.add_done_callback(self._over)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            attempt.give_up(task)
            raise

    def _over(self, task: asyncio.Future[Any]) -> None:
        del self._attempts[task]
        if not task.cancelled():
            task.exception()  # who gave up does not want to know, and nobody shall be warned of that

    async def _run(self, verb: str, machine: str, attempt: Attempt, work: Callable[[Command], _T]) -> _T:
        hear = self._hearing(machine)

        def call() -> _T:
            try:
                return work(Command(self._place, attempt.stop, hear))
            except subprocess.CalledProcessError as failed:
                raise explain(failed, verb, machine, self._place) from failed
            except Stopped:
                raise LabError(f"vagrant {verb} {machine} was interrupted") from None
            except RuntimeError:
                raise LabError(NO_VAGRANT) from None
            except OSError as error:
                raise cannot_run(error) from error

        attempt.begun = True
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def _prepare(self, machine: str) -> None:
        complaint = await asyncio.to_thread(self._place.prepare)
        if complaint and self._complain is not None:
            self._complain(machine, complaint)

    def _hearing(self, machine: str) -> Callable[[str], None]:
        """What takes raw lines in a thread and tells the clean ones in the event loop."""
        loop = asyncio.get_running_loop()

        def tell(line: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(self._told, machine, line)

        return Clean(tell).line

    def _told(self, machine: str, line: str) -> None:
        if self._tell is not None:
            self._tell(machine, line)
