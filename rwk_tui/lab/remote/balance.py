"""The balancers of the machines: brought over, told who is ready and who is cut off, and asked whether they heard."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rwk_tui.lab.host.address import BALANCED
from rwk_tui.lab.protocol import LabError, MachineDown
from rwk_tui.lab.remote import balancer

if TYPE_CHECKING:
    from rwk_tui.lab.remote.links import Host

PORT = 6443
"""The port that is balanced."""
UNIT = "rwk-balance.service"
PROGRAM = "/var/lib/rwk/balance.py"
CONFIG = "/var/lib/rwk/balance.json"
ACKNOWLEDGEMENT = "/run/rwk-balance"
"""Where the balancer says what it has heard; gone after a restart of the machine, as what it said is."""
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
_UNIT_TEXT = f"""\
# Written by rwk-tui, which replaces it.
[Unit]
Description=rwk-tui: leads dials of 127.0.0.1:{BALANCED[PORT]} to a machine that serves port {PORT}
After=network.target

[Service]
ExecStart=/usr/bin/env python3 -u {PROGRAM} {CONFIG} {ACKNOWLEDGEMENT}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=0.2
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
"""
_HEARD_WITHIN = 15.0
"""Seconds: a slow machine takes some to start Python."""


class _Seat:
    """What one machine's balancer is to know, and what it knows."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.deployed = False
        self.cut_off: tuple[str, ...] = ()
        self.late: Mapping[str, float] = {}
        self.told: dict[str, object] | None = None
        self.telling: asyncio.Task[None] | None = None


class Balancers:
    """Every machine's own balancer of PORT."""

    def __init__(self, hosts: Mapping[str, Host], heard_within: float = _HEARD_WITHIN) -> None:
        self._hosts = hosts
        self._heard_within = heard_within
        self._ready: tuple[str, ...] = ()
        self._seats = {name: _Seat() for name in hosts}

    async def deploy(self, machine: str) -> None:
        """Have that machine's balancer run, by today's program and with what it is to know. Raises LabError."""
        host, seat = self._hosts[machine], self._seats[machine]
        async with seat.lock:
            seat.told = None
            changed = False
            for path, content, mode in ((PROGRAM, _program(), 0o600), (UNIT_FILE, _UNIT_TEXT.encode(), 0o644)):
                if await _read(host, path) != content:
                    await host.put(path, content, mode)
                    changed = True
            if changed:
                await _systemctl(host, "daemon-reload")
                await _systemctl(host, "enable", UNIT)
            await self._tell(machine, "restart" if changed else "reload-or-restart")
            seat.deployed = True

    def steer(self, ready: Sequence[str]) -> None:
        """Have all machines lead their dials to those; it takes a moment, see `settled`."""
        self._ready = tuple(dict.fromkeys(ready))
        for machine, seat in self._seats.items():
            if seat.deployed and (seat.telling is None or seat.telling.done()):
                seat.telling = asyncio.get_running_loop().create_task(self._keep_told(machine))

    async def settled(self, machine: str) -> None:
        """Until that machine's balancer obeys, or can't be reached."""
        telling = self._seats[machine].telling
        if telling is not None and not telling.done():
            await asyncio.wait({telling})

    async def reach(self, machine: str, cut_off: Iterable[str], late: Mapping[str, float]) -> None:
        """Have that machine leave out those that are cut off, and wait longer (s) for those that are late.

        Raises LabError.
        """
        seat = self._seats[machine]
        seat.cut_off, seat.late = tuple(cut_off), dict(late)
        await self._tell_if_new(machine)

    async def close(self) -> None:
        """End what is being told."""
        telling = [seat.telling for seat in self._seats.values() if seat.telling is not None]
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)

    async def _keep_told(self, machine: str) -> None:
        """Until it knows what it is to know: that may change while it is being told."""
        while self._seats[machine].told != self._words(machine):
            try:
                await self._tell_if_new(machine)
            except LabError:
                return  # it is told when it is back, or with the next word

    async def _tell_if_new(self, machine: str) -> None:
        seat = self._seats[machine]
        async with seat.lock:
            if seat.deployed and seat.told != self._words(machine):
                await self._tell(machine, "reload-or-restart")

    async def _tell(self, machine: str, verb: str) -> None:
        host, seat = self._hosts[machine], self._seats[machine]
        seat.told, words, token = None, self._words(machine), uuid.uuid4().hex
        await host.put(CONFIG, json.dumps({**words, "token": token}).encode())
        await _systemctl(host, verb, UNIT)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._heard_within
        while await _read(host, ACKNOWLEDGEMENT) != token.encode():
            if loop.time() > end:
                raise LabError(f"{machine}'s balancer does not answer: see journalctl -u {UNIT} there")
            await asyncio.sleep(0.05)
        seat.told = words

    def _words(self, machine: str) -> dict[str, object]:
        seat = self._seats[machine]
        return {
            "listen": ["127.0.0.1", BALANCED[PORT]],
            "port": PORT,
            "machines": {name: host.address for name, host in self._hosts.items()},
            "ready": list(self._ready),
            "cut_off": list(seat.cut_off),
            "late": dict(seat.late),
        }


def _program() -> bytes:
    return Path(balancer.__file__).read_bytes()


async def _read(host: Host, path: str) -> bytes:
    """What is in that file, b"" if there is none."""
    try:
        return await host.get(path)
    except MachineDown:
        raise
    except LabError:
        return b""


async def _systemctl(host: Host, *words: str) -> None:
    done = await host.exec("systemctl", *words)
    if done.code:
        said = " ".join(done.err.split()) or f"exit code {done.code}"
        raise LabError(f"systemctl {' '.join(words)} failed on {host.name}: {said}")
