"""Where Vagrant works: a directory of ours with a Vagrantfile made from the settings, or that of a file of the user."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rwk_tui.board.targets import MACHINES
from rwk_tui.data import data_dir
from rwk_tui.lab.host.disk import read_file, write_file
from rwk_tui.lab.protocol import LabError
from rwk_tui.settings import BadInput, Settings, Vagrant

_TOOLS = "tools.sh"
_STAMP = re.compile(
    r'^# Written for box "(?P<box>[^"\n]*)", first address (?P<address>\S+), (?P<memory>\d+) MB, (?P<cpus>\d+) CPUs; '
    r"unchanged while its checksum is (?P<sum>[0-9a-f]{16})\.\n",
    re.MULTILINE,
)
_OF_USER = ("VAGRANT_CWD", "VAGRANT_VAGRANTFILE", "VAGRANT_DOTFILE_PATH")


def addresses(settings: Vagrant) -> dict[str, str]:
    """The machines' addresses, counted up from the first."""
    first = ipaddress.IPv4Address(settings.address)
    return {name: str(first + number) for number, name in enumerate(MACHINES)}


def rendered(settings: Vagrant) -> str:
    """The whole Vagrantfile for these settings, which are known to hold no quotes."""
    text = (data_dir("assets") / "vagrant" / "Vagrantfile").read_text("utf-8")
    listed = ",\n".join(f'    "{name}" => "{address}"' for name, address in addresses(settings).items())
    values = {"BOX": settings.box, "ADDRESSES": listed, "MEMORY": str(settings.memory), "CPUS": str(settings.cpus)}
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    made_for = f'box "{settings.box}", first address {settings.address}, {settings.memory} MB, {settings.cpus} CPUs'
    return f"{text}\n# Written for {made_for}; unchanged while its checksum is {_checksum(text)}.\n"


def _checksum(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


def check_own_file(settings: Settings) -> None:
    """Raise BadInput if the user's own Vagrantfile can't be read."""
    file = settings.vagrant.file
    if file is not None:
        try:
            with file.open("rb") as opened:
                opened.read(1)
        except OSError as error:
            raise BadInput(f"{file}: {error.strerror}; it is the Vagrantfile that the settings name") from None


@dataclass(frozen=True, slots=True)
class Place:
    """The directory in which Vagrant runs."""

    settings: Vagrant
    directory: Path
    file: Path

    @classmethod
    def of(cls, settings: Settings) -> Place:
        """The place that the settings say; nothing is written."""
        own = settings.vagrant.file
        directory = own.parent if own else settings.state.absolute() / "lab" / "vagrant"
        return cls(settings.vagrant, directory, own or directory / "Vagrantfile")

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """What Vagrant finds set: what the user has set, without what would lead it elsewhere."""
        mine = {name: value for name, value in given.items() if name not in _OF_USER}
        if self.settings.file:
            mine["VAGRANT_VAGRANTFILE"] = self.file.name
            mine |= {name: given[name] for name in _OF_USER[2:] if given.get(name)}
        return {"LANG": "C.UTF-8", "VAGRANT_CHECKPOINT_DISABLE": "1", **mine, "VAGRANT_NO_COLOR": "1"}

    def provider_of(self, machine: str) -> str:
        """The provider that a machine exists with, "" if Vagrant knows of none; costs no Vagrant."""
        moved = os.environ.get("VAGRANT_DOTFILE_PATH", "") if self.settings.file else ""
        found = sorted((self.directory / (moved or ".vagrant") / "machines" / machine).glob("*/id"))
        return found[0].parent.name if found else ""

    def prepare(self) -> str:
        """See to it that there is a Vagrantfile, as the settings have it if that can be.

        Returns a complaint in one line if it can't. Raises LabError.
        """
        if self.settings.file:
            if not self.file.is_file():
                raise LabError(f"there is no {self.file}, which is to be the Vagrantfile")
            return ""
        wanted = rendered(self.settings)
        present = read_file(self.file).decode(errors="replace") if self.file.exists() else ""
        if present != wanted:
            stamp = _STAMP.search(present)
            by_hand = bool(present) and (stamp is None or _checksum(present[: stamp.start()]) != stamp["sum"])
            exists = [name for name in MACHINES if self.provider_of(name)]
            if present and (by_hand or exists):
                return self._complaint(stamp, exists, by_hand=by_hand)
            write_file(self.file, wanted.encode(), 0o644)
        tools = (data_dir("assets") / "vagrant" / _TOOLS).read_bytes()
        copy = self.directory / _TOOLS
        if not copy.exists() or copy.read_bytes() != tools:
            write_file(copy, tools, 0o644)
        return ""

    def _complaint(self, stamp: re.Match[str] | None, exists: list[str], *, by_hand: bool) -> str:
        units = {"box": "box {}", "address": "first address {}", "memory": "{} MB", "cpus": "{} CPUs"}
        differ = [
            f"{text.format(stamp[name])}, not {getattr(self.settings, name)}"
            for name, text in units.items()
            if stamp is not None and stamp[name] != str(getattr(self.settings, name))
        ]
        if not differ:
            return ""
        way = f"remove {self.file}" if by_hand else f"destroy {', '.join(exists)} with `vagrant destroy`"
        return f"the Vagrantfile stays as it is ({'; '.join(differ)}): {way} to have it follow the settings"
