"""How a machine is switched: what is believed of its power meanwhile, and contact made and ended with it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Literal

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.ground import Ground
from rwk_tui.lab.remote.host import RemoteHost
from rwk_tui.lab.remote.switch import DROP_DEAD
from rwk_tui.lab.remote.trouble import NeedsHelp
from rwk_tui.lab.remote.units import Units
from rwk_tui.lab.remote.wipe import remove_all, wipe

_STILL_THERE = 3.0
"""Seconds in which a machine answers that was left running."""


_DEAD_WITHIN = 3.0
_DROP_DEAD = f"{DROP_DEAD} || poweroff --force --force"
"""An old systemd knows no --no-sync."""


class _NoContact(LabError):
    """It was switched on, and nobody answers."""


class PowerButton:
    """Of one machine; `emptied` is called when its disk was emptied while it runs."""

    def __init__(self, ground: Ground, host: RemoteHost, units: Units, emptied: Callable[[], Awaitable[None]]) -> None:
        self._ground = ground
        self._host = host
        self._units = units
        self._emptied = emptied

    @property
    def _owned(self) -> bool:
        return self._ground.switch.owns_power

    async def start(self) -> None:
        """Switch it on. Raises LabError."""
        if not self._is_there():
            await self._host.turns.take("start", self._start)

    async def stop(self) -> None:
        """Halt it, or end our units where it is not ours. Raises LabError."""
        await self._host.turns.take("halt", self._stop)

    async def kill(self) -> None:
        """Cut its power. Raises LabError."""
        if why := self._ground.switch.lacks("power cut"):
            raise LabError(why)
        if self._host.power in ("up", "starting", "stopping"):
            await self._host.turns.take("cut the power of", self._kill, at_once=True)

    async def destroy(self) -> None:
        """Cut its power and lose its disk. Raises LabError."""
        await self._host.turns.take("destroy", self._destroy, at_once=True)

    async def renew(self) -> None:
        """Have it up and empty. Raises LabError."""
        await self._host.turns.take("reset", self._renew)

    def _is_there(self) -> bool:
        host = self._host
        return host.power == "up" and host.contact.agent_now is not None and not host.unfit

    async def _start(self) -> None:
        if self._is_there() or await self._was_left_running():
            return
        await self._switch_on()

    async def _was_left_running(self) -> bool:
        """Whether it still runs from before, as machines do that outlive us."""
        if self._host.power != "up":
            return False
        try:
            await self._host.contact.agent(_STILL_THERE * self._ground.slack)
        except NeedsHelp:
            raise
        except LabError:
            return False
        try:
            self._check_fit()
        except LabError:
            await self._host.contact.rest()  # the next start looks again: somebody may have made room
            raise
        self._host.contact.keep()
        return True

    async def _switch_on(self) -> None:
        host, before = self._host, self._host.power
        if self._owned and host.name not in await self._ground.switch.exists():
            # Whoever destroyed it behind our back did not tell us: the one that is made now has other keys.
            host.forget_disk()
            self._units.forget()
        host.believe("starting")
        try:
            await host.contact.rest()
            await self._ground.switch.start(host.name)
            host.forget_start()
            await self._make_contact()
            await self._units.start_enabled()
        except BaseException:
            host.believe("off" if self._owned else before)
            host.look_soon()
            await asyncio.shield(host.contact.rest())
            raise
        host.believe("up")

    async def _make_contact(self) -> None:
        host = self._host
        try:
            await host.contact.wait_up(self._ground.timeouts.machine_start * self._ground.slack)
        except NeedsHelp:
            raise
        except LabError as error:
            raise _NoContact(str(error)) from error
        self._check_fit()
        host.contact.keep()

    def _check_fit(self) -> None:
        if self._host.unfit:
            raise LabError(self._host.unfit)
        if not self._units.last:
            self._host.check_room()

    async def _stop(self) -> None:
        host, before = self._host, self._host.power
        if before in ("halted", "gone"):
            return  # any other state may be that of a start or a stop that was broken off: perhaps it runs
        try:
            if self._owned:
                host.believe("stopping")
                await self._ground.switch.stop(host.name)
            else:
                await self._stop_units()
        except BaseException:
            host.believe("off" if before == "off" else "up")
            host.look_soon()
            raise
        await self._ended("halted")

    async def _stop_units(self) -> None:
        host = self._host
        if host.power != "up":
            host.believe("starting")  # so that it can be asked
        # What runs there may be known to an earlier process only.
        services = [layout.service(name) for name in await self._units.ask()]
        host.believe("stopping")
        if services:
            grace = self._ground.timeouts.stop * (len(services) + 1)  # one after another, clients first
            await host.checked("systemctl", "stop", *services, within=grace)

    async def _kill(self) -> None:
        host = self._host
        host.believe("off" if await self._drop_dead() else "stopping")
        await self._cut(self._ground.switch.kill)
        await self._ended("off")

    async def _destroy(self) -> None:
        host = self._host
        if self._owned:
            await self._drop_dead()
            host.believe("stopping")
            await self._cut(self._ground.switch.destroy)
        else:
            await self._remove_ours()
        self._units.forget()
        host.forget_disk()
        await self._ended("gone")

    async def _drop_dead(self) -> bool:
        """Have its kernel end at once where we have contact: what backends call force may be a polite request."""
        agent = self._host.contact.agent_now
        if agent is None:
            return False
        with contextlib.suppress(LabError):  # the answer can't come any more
            await agent.exec("/bin/sh", "-c", _DROP_DEAD, within=_DEAD_WITHIN)
        return True

    async def _cut(self, how: Callable[[str], Awaitable[None]]) -> None:
        await self._host.contact.rest()
        try:
            await how(self._host.name)
        except BaseException:
            self._host.look_soon()
            raise

    async def _remove_ours(self) -> None:
        host = self._host
        if host.power == "gone" and host.agent_now is None:
            return  # there is nothing of ours, and perhaps no host any more
        if host.power not in ("up", "starting"):
            host.believe("starting")
        await host.agent()
        await remove_all(host)

    async def _renew(self) -> None:
        host = self._host
        if not (self._is_there() or await self._was_left_running()):
            try:
                await self._switch_on()
            except _NoContact:
                if not self._owned:
                    raise
                await self._ground.switch.kill(host.name)  # it exists and hangs
                await self._switch_on()
        await wipe(host)
        self._units.forget()
        await self._emptied()

    async def _ended(self, power: Literal["halted", "off", "gone"]) -> None:
        self._host.believe(power)
        self._units.frozen.clear()
        await self._host.contact.rest()
