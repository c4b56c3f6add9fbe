"""The timer on a machine that heals its links when nobody says any more that they are to stay as they are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.filter import CLASS, TABLE

if TYPE_CHECKING:
    from rwk_tui.lab.remote.links import Host

HEALS_AFTER = 90
"""Seconds until it heals, unless it is told to wait anew."""
REARM_EVERY = 30.0
"""Seconds after which it is told: two of three may fail."""
_NAME = "rwk-heal-"
_HEAL = (
    f"nft delete table {TABLE}; "
    f'for device; do tc qdisc del dev "$device" root handle {CLASS:x}:; done; '
    "systemctl kill --signal=USR1 rwk-balance.service; true"
)
"""What it runs, with the devices as arguments. The balancer forgets then which machines are cut off."""


def heal(devices: Sequence[str]) -> tuple[str, ...]:
    """The command that makes a machine's links plain again, where these devices hold packets back."""
    return ("/bin/sh", "-c", _HEAL, "heal", *devices)


class DeadMan:
    """The timers of one machine. A new one runs before the one that it replaces is stopped, so one always does."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._name = ""
        self._devices: tuple[str, ...] = ()

    def forget(self) -> None:
        """The machine may have restarted, and its timers with it."""
        self._name = ""

    async def arm(self, devices: Sequence[str]) -> None:
        """Have the links heal in HEALS_AFTER seconds from now. Raises LabError if the machine can't do that."""
        if self._devices == tuple(devices) and await self.again():
            return
        name = f"{_NAME}{uuid.uuid4().hex[:8]}"
        timer = ("systemd-run", "--quiet", "--collect", f"--unit={name}", f"--on-active={HEALS_AFTER}")
        precise = ("--timer-property=AccuracySec=1s",)
        done = await self._host.exec(*timer, *precise, *heal(devices))
        if done.code:
            said = " ".join(done.err.split())
            raise LabError(f"{self._host.name} can't promise to heal its links by itself: {said}")
        self._name, self._devices = name, tuple(devices)
        listing = ("list-units", "--all", "--plain", "--no-legend", "--type=timer", f"{_NAME}*")
        listed = (await self._host.exec("systemctl", *listing)).out
        names = [line.split()[0] for line in listed.splitlines() if line.split()]
        others = [other for other in names if other != f"{name}.timer"]
        if others:
            await self._host.exec("systemctl", "stop", *others)

    async def again(self) -> bool:
        """Have it wait for as long once more; False if there is none (any more)."""
        if not self._name:
            return False
        # A timer that has fired is gone, and what is gone can't be restarted.
        done = await self._host.exec("systemctl", "restart", f"{self._name}.timer")
        if done.code:
            self._name = ""
        return not done.code

    async def disarm(self) -> None:
        """Stop every timer of ours that runs there."""
        self._name = ""
        await self._host.exec("systemctl", "stop", f"{_NAME}*.timer")
