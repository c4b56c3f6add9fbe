"""One machine that is made to obey what is wanted of its links, one change at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rwk_tui.lab.protocol import LabError, MachineDown
from rwk_tui.lab.remote import shaper
from rwk_tui.lab.remote.deadman import DeadMan
from rwk_tui.lab.remote.filter import TABLE, Peer, table

if TYPE_CHECKING:
    from rwk_tui.lab.remote.agent import Done
    from rwk_tui.lab.remote.links import Host


class Enforcer:
    """The rules in force on one machine, as far as we know; all methods raise MachineDown where it can't be reached."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._dead_man = DeadMan(host)
        self._lock = asyncio.Lock()
        self._in_force: tuple[str, str] | None = None
        self._devices: tuple[str, ...] = ()
        self._apart: frozenset[str] = frozenset()

    async def enforce(self, peers: Callable[[], Sequence[Peer]], *, anew: bool) -> None:
        """Bring the machine to what these peers want; `anew` if nothing is known of it. Raises LabError.

        They are asked for when nothing else is being changed on it. Where what is wanted is in force, nothing is done.
        """
        async with self._lock:
            now = peers()
            if anew:
                self._in_force, self._apart = None, frozenset()
                self._dead_man.forget()
            if all(peer.plain for peer in now):
                await self._clear(now, anew=anew)
            else:
                await self._force(now)
            apart = frozenset(peer.name for peer in now if peer.apart)
            for peer in now:
                if peer.apart and peer.name not in self._apart:
                    await self._sever(peer)
            self._apart = apart

    async def sever(self, peer: Peer) -> None:
        """Close what is open between the machine and that peer. Raises LabError if its kernel can't."""
        async with self._lock:
            await self._sever(peer)

    async def still(self) -> bool:
        """Have the machine wait with healing for as long again; False if it has healed, or nothing is known of it."""
        async with self._lock:
            return await self._dead_man.again()

    async def _force(self, peers: Sequence[Peer]) -> None:
        rules = table((self._host.address, *self._host.also), peers)
        late = [peer for peer in peers if peer.away.delay_ms]
        devices = {peer.name: await self._device(peer) for peer in late}
        shape = shaper.shape(devices, peers)
        if self._in_force == (rules, shape):
            return
        if late:
            await self._check_free(sorted(set(devices.values())))
        self._in_force = None
        # What is to undo all this comes first, then the bands, then what leads packets into them.
        self._devices = tuple(sorted({*self._devices, *devices.values()}))
        await self._dead_man.arm(self._devices)
        if late:
            done = await self._host.exec(*shaper.LOAD, input=shape.encode())
            if done.code:
                raise LabError(shaper.why_not(self._host.name, done.err))
        elif self._devices:
            await self._unshape()
        await self._load(rules)
        self._in_force = (rules, shape)

    async def _check_free(self, devices: Sequence[str]) -> None:
        shown = (await self._host.exec(*shaper.SHOW)).out
        if refused := shaper.refusal(self._host.name, devices, shown):
            raise LabError(refused)

    async def _clear(self, peers: Sequence[Peer], *, anew: bool) -> None:
        nothing = ("", "")
        if self._in_force == nothing:
            return
        # Whoever delays packets has a table too, and it goes last: without one there is nothing of ours.
        if anew and not await self._has_table():
            self._in_force, self._devices = nothing, ()
            return
        self._in_force = None
        await self._unshape()
        await self._load(table((), peers))
        self._in_force = nothing
        await self._dead_man.disarm()

    async def _has_table(self) -> bool:
        try:
            return not (await self._host.exec("nft", "list", "table", *TABLE.split())).code
        except MachineDown:
            raise
        except LabError:  # no nft, so no table
            return False

    async def _device(self, peer: Peer) -> str:
        done = await self._host.exec(*shaper.ROUTE, peer.ranges[0])
        if done.code:
            raise LabError(f"{self._host.name} has no route to {peer.name}: {_words(done)}")
        return shaper.device(done.out)

    async def _unshape(self) -> None:
        devices = shaper.shaped((await self._host.exec(*shaper.SHOW)).out)
        if devices:
            done = await self._host.exec(*shaper.LOAD, input=shaper.unshape(devices).encode())
            if done.code:
                raise LabError(f"{self._host.name} goes on delaying packets: {_words(done)}")
        self._devices = ()

    async def _load(self, rules: str) -> None:
        try:
            done = await self._host.exec("nft", "-f", "-", input=rules.encode())
        except MachineDown:
            raise
        except LabError as error:
            raise LabError(f"{error} (links need nft there: install nftables)") from error
        if done.code:
            raise LabError(f"{self._host.name} does not take the rules for its links: {_words(done)}")

    async def _sever(self, peer: Peer) -> None:
        theirs = [word for each in peer.ranges for word in ("or", "dst", each)][1:]
        between = ("(", *theirs, ")", "and", "not", "(", "sport", "=", ":22", "or", "dport", "=", ":22", ")")
        killed = await self._host.exec("ss", "-HnKt", *between)
        if killed.code:
            raise LabError(f"{self._host.name} can't close connections: {_words(killed)}")
        if killed.out.strip():
            return
        # ss says nothing where the kernel has no way to do that.
        if (await self._host.exec("ss", "-Hnt", "state", "established", *between)).out.strip():
            raise LabError(f"{self._host.name}'s kernel can't close connections (INET_DIAG_DESTROY): use another box")


def _words(done: Done) -> str:
    """What a command complained of, in one line."""
    return " ".join((done.err or done.out).split()) or f"exit code {done.code}"
