"""Hosts that are somebody's: they are never switched, only what is ours on them is."""

from __future__ import annotations

from collections.abc import Mapping

from rwk_tui.board.rows import Power
from rwk_tui.lab.host.show import as_word
from rwk_tui.lab.protocol import Ability, LabError, MachineVerb, Narrator
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.ssh.hosts import Host

_NO_POWER_CUT = "these hosts are somebody's: their power is not cut; halt stops what runs of ours"
_ON_THE_HOST: dict[MachineVerb, str] = {
    "start": "sudo systemctl start --all 'rwk-*'",
    "stop": "sudo systemctl stop 'rwk-*'",
    "kill": "sudo systemctl kill --signal KILL 'rwk-*'",
    "destroy": "sudo systemctl stop 'rwk-*'; sudo rm -rf /etc/systemd/system/rwk-* /var/lib/rwk/disk",
}


class SshSwitch:
    """`hosts` by machine. What halting and destroying mean here is done over SSH by the lab, so this does nothing."""

    owns_power = False

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts

    async def start(self, machine: str) -> None:
        """Nothing: the host runs."""

    async def stop(self, machine: str) -> None:
        """Nothing: the host runs on."""

    async def kill(self, machine: str) -> None:
        """Raises LabError: there is no power cut."""
        raise LabError(f"{machine}: {_NO_POWER_CUT}")

    async def destroy(self, machine: str) -> None:
        """Nothing: the host stays."""

    async def login(self, machine: str) -> Login:
        """How to log in to it, as its file says."""
        return self._hosts[machine].login

    async def look(self, machine: str) -> Power | None:
        """None: only SSH tells."""
        return None

    async def exists(self) -> Mapping[str, Power]:
        """{}: nothing of it is on the presenter's disk."""
        return {}

    def address(self, machine: str) -> str:
        """The address under which the others reach it."""
        return self._hosts[machine].address

    def show(self, verb: MachineVerb, machine: str) -> str:
        return self.show_on(_ON_THE_HOST[verb], machine)

    def show_on(self, command: str, machine: str) -> str:
        """That command line as typed here for that host."""
        return f"ssh {machine} {as_word(command)}"

    def lacks(self, ability: Ability) -> str:
        return _NO_POWER_CUT if ability == "power cut" else ""

    def narrate(self, tell: Narrator, complain: Narrator) -> None:
        """Nothing here takes long."""

    async def close(self) -> None:
        """Nothing is held."""
