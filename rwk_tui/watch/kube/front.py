"""The ways to the API servers: one client through the lab's front, and one for each machine's own server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Hashable

from rwk_tui.cluster.access import Access
from rwk_tui.cluster.kubernetes.units import API_PORT
from rwk_tui.lab.protocol import Lab, LabError, Machine
from rwk_tui.watch.kube.protocol import ConnectKube, Kube
from rwk_tui.watch.kube.refusals import KubeError, untrusted

FRONT = ""


class Doors:
    """One client for each way, made anew when its place or its certificates change; `access` is asked each time."""

    def __init__(self, lab: Lab, connect: ConnectKube, access: Callable[[], Access | None]) -> None:
        self._lab = lab
        self._connect = connect
        self._access = access
        self._open: dict[str, tuple[Hashable, Kube]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def front(self) -> Kube:
        """The client through the lab's front. Raises KubeError while there are no certificates."""
        return self._client(FRONT, *self._lab.any_address(API_PORT))

    async def of(self, machine: Machine) -> Kube:
        """The client of that machine's own API server. Raises KubeError when the machine can't be reached."""
        try:
            place = await machine.reach(API_PORT)
        except LabError as error:
            raise KubeError(str(error), trouble="refused", definite=True) from None
        return self._client(machine.name, *place)

    def forget(self) -> None:
        """Drop every client: what they were let in with may not be valid any more."""
        for name in list(self._open):
            self._drop(name)

    async def close(self) -> None:
        """Drop every client, and wait for it."""
        self.forget()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _client(self, name: str, host: str, port: int) -> Kube:
        access = self._access()
        if access is None:
            raise untrusted("there are none yet")
        known, mark = self._open.get(name), (host, port, access, _ages(access))
        if known is not None and known[0] == mark:
            return known[1]
        self._drop(name)
        client = self._connect(host, port, access, tuple(self._lab.machines))
        self._open[name] = (mark, client)
        return client

    def _drop(self, name: str) -> None:
        known = self._open.pop(name, None)
        if known is not None:
            task = asyncio.create_task(known[1].close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _ages(access: Access) -> tuple[int, ...]:
    """When each of its files was written: a lab that was set up anew has others of the same names."""
    found: list[int] = []
    for path in (access.ca, access.cert, access.key):
        try:
            found.append(os.stat(path).st_mtime_ns)  # noqa: PTH116 - this is asked for every request
        except OSError:
            found.append(0)
    return tuple(found)
