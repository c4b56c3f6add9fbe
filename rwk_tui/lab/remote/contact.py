"""The way to one machine: made when it is needed, kept while it is wanted, made again when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import connection as connections
from rwk_tui.lab.remote.agent import Agent
from rwk_tui.lab.remote.connection import Connection, Patience
from rwk_tui.lab.remote.forward import Forward
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.pins import Pins
from rwk_tui.lab.remote.trouble import NeedsHelp, no_address
from rwk_tui.lab.remote.upload import upload

_PAUSES = (0.3, 3.0)
"""Seconds between two attempts, first and at most."""
_BEAT = 15.0
"""Seconds between two words to the agent, which takes a long silence for our end."""
_CLOCK = 2.0
"""Seconds that two clocks may differ."""


class Contact:
    """The SSH connection to a machine and the agent at its other end.

    `login` is asked before each attempt; `changed` is called when contact is made or lost, or the reason why there is
    none changes; `complain` hears of what disturbs but does not stop us. `arguments` go to the agent.
    """

    def __init__(
        self,
        machine: str,
        login: Callable[[], Awaitable[Login]],
        pins: Pins,
        changed: Callable[[], None],
        complain: Callable[[str], None],
        *,
        arguments: tuple[str, ...] = (),
        patience: Patience | None = None,
    ) -> None:
        self.on_connect: Callable[[Agent], Awaitable[None]] | None = None
        """Called after each connect, before anybody else gets the agent; what it raises is complained about."""
        self._machine = machine
        self._login = login
        self._pins = pins
        self._changed = changed
        self._complain = complain
        self._arguments = arguments
        self._patience = patience or Patience()
        self._connection: Connection | None = None
        self._why = f"{machine} has not been asked yet"
        self._dialling: asyncio.Task[Agent] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._forwards: dict[int, Forward] = {}
        self._clock_told = False

    @property
    def agent_now(self) -> Agent | None:
        """The agent, if there is contact at this moment."""
        connection = self._connection
        return connection.agent if connection is not None and not connection.lost.is_set() else None

    @property
    def why(self) -> str:
        """Why there is no contact, in one line; "" if there is."""
        return self._why

    async def agent(self, within: float = 5.0) -> Agent:
        """The agent; connects if need be. Raises LabError (one line) after `within` seconds, or when it can't be had.

        Not to be called from `on_connect`, which gets it.
        """
        if (agent := self.agent_now) is not None:
            return agent
        dialling = self._dial()
        await asyncio.wait({dialling}, timeout=within)
        if not dialling.done():
            raise LabError(f"{self._machine} is not there within {within:g} s; it is still being dialled")
        if dialling.cancelled():
            raise LabError(f"we hung up on {self._machine}")
        return dialling.result()

    async def wait_up(self, within: float) -> Agent:
        """The agent of a machine that was just started: tries again and again. Raises LabError after `within` seconds.

        Raises NeedsHelp, which is a LabError, as soon as waiting can't help.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while True:
            left = until - loop.time()
            try:
                return await self.agent(max(left, 0.001))
            except NeedsHelp:
                raise
            except LabError as error:
                if loop.time() + _PAUSES[0] >= until:
                    why = self._why or str(error)
                    raise LabError(f"no contact with {self._machine} within {within:g} s: {why}") from error
            await asyncio.sleep(_PAUSES[0])

    def keep(self) -> None:
        """Stay connected from now on, in the background; harmless when that is so."""
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep(), name=f"contact-{self._machine}")

    async def rest(self) -> None:
        """Hang up and stay so, as for a machine that is halted; ports that were forwarded stay, and refuse."""
        tasks = [task for task in (self._keeping, self._dialling, self._watching) if task is not None]
        self._keeping = self._dialling = self._watching = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(f"we hung up on {self._machine}")
            await connections.closed(connection)
        self._clock_told = False
        self._state(None, f"{self._machine} is not asked, it is halted")

    async def close(self) -> None:
        """Hang up for good: forwarded ports go too."""
        await self.rest()
        await asyncio.gather(*(forward.close() for forward in self._forwards.values()))
        self._forwards.clear()

    async def upload(self, file: Path, path: str, sha256: str) -> None:
        """Install that file as a program (0755) at `path` on the machine, once it arrived with that checksum.

        Raises LabError; what was there before stays then.
        """
        await self.agent()
        connection = self._connection
        if connection is None:
            raise LabError(self._why)
        await upload(connection, file, path, sha256, self._arguments)

    async def forward(self, port: int) -> tuple[str, int]:
        """Host and port of ours that lead to 127.0.0.1:`port` of the machine; the same ones whenever it is asked.

        While there is no contact, connections to it are closed at once. Raises LabError if nothing can listen.
        """
        if port not in self._forwards:
            self._forwards[port] = Forward(port, self._ssh)
        return await self._forwards[port].listen()

    def _ssh(self) -> asyncssh.SSHClientConnection | None:
        connection = self._connection
        return connection.ssh if connection is not None and not connection.lost.is_set() else None

    def _dial(self) -> asyncio.Task[Agent]:
        """The one attempt that is under way; whoever wants the agent waits for the same."""
        if self._dialling is None or self._dialling.done():
            self._dialling = asyncio.create_task(self._connect(), name=f"dial-{self._machine}")
            self._dialling.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._dialling

    async def _connect(self) -> Agent:
        if (agent := self.agent_now) is not None:
            return agent
        connection: Connection | None = None
        try:
            login = await self._login()
            connection = Connection(self._machine, login, self._patience)
            await connection.open(self._pins, self._arguments)
            await connection.agent.ping()
            self._check_clock(connection.agent)
            await self._greet(connection.agent)
            if connection.lost.is_set():
                raise LabError(connection.why)
        except LabError as error:
            if connection is not None:
                connection.close(str(error))
            self._state(None, str(error))
            raise
        except BaseException:
            if connection is not None:
                connection.close(f"we hung up on {self._machine}")
            raise
        self._state(connection, "")
        self._watching = asyncio.create_task(self._watch(connection), name=f"watch-{self._machine}")
        return connection.agent

    async def _greet(self, agent: Agent) -> None:
        if self.on_connect is not None:
            try:
                await self.on_connect(agent)
            except LabError as error:
                self._complain(str(error))

    async def _watch(self, connection: Connection) -> None:
        """Say a word now and then, until the connection is lost; then say so."""
        await self._check_address(connection.agent)
        while not connection.lost.is_set():
            try:
                async with asyncio.timeout(_BEAT):
                    await connection.lost.wait()
            except TimeoutError:
                try:
                    await connection.agent.ping(_BEAT)
                    self._check_clock(connection.agent)
                except LabError as error:
                    connection.close(str(error))
        for forward in self._forwards.values():
            forward.drop()
        if self._connection is connection:
            self._state(None, connection.why)

    async def _keep(self) -> None:
        pause = _PAUSES[0]
        while True:
            connection = self._connection
            if connection is not None and not connection.lost.is_set():
                await connection.lost.wait()
            try:
                await asyncio.shield(self._dial())
                pause = _PAUSES[0]
            except LabError:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSES[1])

    async def _check_address(self, agent: Agent) -> None:
        """After the greeting, so that others may use the agent already: it may take a while until it is known."""
        with contextlib.suppress(LabError):
            found = await agent.instead(self._patience.address)
            if found is not None:
                wanted = self._arguments[self._arguments.index("--address") + 1]
                self._complain(no_address(self._machine, wanted, found))

    def _check_clock(self, agent: Agent) -> None:
        off = agent.offset
        if abs(off) <= _CLOCK:
            self._clock_told = False
        elif not self._clock_told:
            self._clock_told = True
            where = "ahead of" if off > 0 else "behind"
            self._complain(
                f"{self._machine}'s clock is {abs(off):.0f} s {where} yours: certificates and leases need less; "
                "set it there, e.g. with `sudo timedatectl set-ntp true`"
            )

    def _state(self, connection: Connection | None, why: str) -> None:
        changed = connection is not self._connection or why != self._why
        self._connection, self._why = connection, why
        if changed:
            with contextlib.suppress(LabError):
                self._changed()
