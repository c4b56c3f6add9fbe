"""A machine as far as we have contact with it: who answers there, what it is, and what silence means."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rwk_tui.board.rows import Power
from rwk_tui.lab.pods import pod_range
from rwk_tui.lab.protocol import Ability, LabError, MachineDown
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.abilities import why_not
from rwk_tui.lab.remote.agent import Agent, Done, Facts
from rwk_tui.lab.remote.contact import Contact
from rwk_tui.lab.remote.ground import Ground
from rwk_tui.lab.remote.turns import Turns
from rwk_tui.lab.remote.upload import ContactLost

_SILENT = 2.0
"""Seconds without contact after which the backend is asked what became of a machine."""
_LOOK_EVERY = 5.0
_LOOK_SELDOM = 30.0
_NEEDED_FREE = 300e6
"""Bytes of a disk below which nothing is started on it."""
_CONTACT_WITHIN = 5.0
_UPLOADS = 3

# What is there besides what we put is somebody else's, unless the marker says that it is ours.
_CLAIM = """
set -e
umask 077
cd / && test -d /run/systemd/system || { echo "it does not run systemd"; exit 1; }
if [ ! -e "$2" ]; then
  if [ -e "$1" ] && [ -n "$(ls -A "$1")" ]; then echo "its $1 holds files that are not ours; move them away"; exit 1; fi
  mkdir -p "$1"
  echo "This directory belongs to rwk-tui, which empties it on a reset." >"$2"
fi
chmod 0700 "$1"
mkdir -p "$3"
"""


class RemoteHost:
    """Contact with one machine; what we believe of its power is in the ground's `powers`.

    `greet` is called after each connect, while nobody else gets at it; `exec`, `put` and `get` may be used in it.
    `lost` is called when there is contact no more.
    """

    def __init__(
        self, ground: Ground, name: str, greet: Callable[[], Awaitable[None]], lost: Callable[[], None]
    ) -> None:
        self._ground = ground
        self._name = name
        self._greet = greet
        self._lost = lost
        self._greeting: Agent | None = None
        self._silent_since: float | None = None
        self._looked = -_LOOK_SELDOM
        self._astray = False
        self.facts: Facts | None = None
        self.unfit = ""
        """Why nothing can be run there though it answers, in one line."""
        self.also: Sequence[str] = (pod_range(name),)
        """The range of its pods."""
        self.turns = Turns(name)
        self.contact = Contact(
            name,
            lambda: ground.logins.of(name),
            ground.pins,
            self._contact_changed,
            self._complain,
            arguments=("--address", ground.switch.address(name)),
        )
        self.contact.on_connect = self._connected

    @property
    def name(self) -> str:
        return self._name

    @property
    def address(self) -> str:
        return self._ground.switch.address(self._name)

    @property
    def power(self) -> Power:
        """What we believe."""
        return self._ground.powers.get(self._name)[0]

    @property
    def agent_now(self) -> Agent | None:
        """The agent, if it can be asked at this moment."""
        return self._greeting or self.contact.agent_now

    def believe(self, power: Power) -> None:
        """Be in a new state of power; where our disk refuses to keep it, that is tried again with the next one."""
        with contextlib.suppress(LabError):
            self._ground.powers.set(self._name, power)
        self._silent_since = None
        self._astray = False
        self._ground.changed()

    def require_up(self) -> None:
        """Raises MachineDown unless it is believed to be up."""
        power = self.power
        if power not in ("up", "starting"):
            words = {"gone": "destroyed", "off": "without power"}.get(power, power)
            raise MachineDown(f"{self._name} is {words}, nothing runs there")

    async def agent(self) -> Agent:
        """Who answers there; waits a little for contact, which a busy machine may lose. Raises MachineDown."""
        if self._greeting is not None:
            return self._greeting
        self._require_use()
        if (agent := self.contact.agent_now) is not None:
            return agent
        try:
            return await self.contact.wait_up(_CONTACT_WITHIN * self._ground.slack)
        except LabError as error:
            raise MachineDown(str(error)) from error

    def _now(self) -> Agent:
        """Who answers there now: who is waited for by new contact must not wait for it. Raises MachineDown."""
        if self._greeting is not None:
            return self._greeting
        agent = self.contact.agent_now
        if agent is None:
            self.require_up()
            raise MachineDown(self.contact.why)
        if self.unfit:
            raise MachineDown(self.unfit)
        return agent

    def _require_use(self) -> None:
        """Raises MachineDown where nothing may be done: what is there may be somebody else's."""
        self.require_up()
        if self.unfit and self.contact.agent_now is not None:
            raise MachineDown(self.unfit)

    async def exec(self, *argv: str, input: bytes = b"", within: float = 10.0) -> Done:
        """Run a short command as root, without a shell. Raises MachineDown if there is no contact now, or LabError."""
        return await self._now().exec(*argv, input=input, within=within * self._ground.slack)

    async def checked(self, *argv: str, within: float = 10.0) -> str:
        """The same, for what it prints; it must work. Raises MachineDown, or LabError with what it says."""
        done = await self.exec(*argv, within=within)
        if done.code:
            said = " ".join((done.err or done.out).split()) or f"exit code {done.code}"
            raise LabError(f"{argv[0]} on {self._name}: {said}")
        return done.out

    async def put(self, path: str, content: bytes, mode: int = 0o600) -> None:
        """Write a file anywhere. Raises MachineDown, or LabError."""
        await self._now().put(path, content, mode)

    async def get(self, path: str) -> bytes:
        """Read a file from anywhere. Raises MachineDown, or LabError if there is none."""
        return await self._now().get(path)

    async def upload(self, file: Path, path: str, sha256: str) -> None:
        """Bring a program over, again if contact is lost in the middle of it. Raises MachineDown, or LabError."""
        for _ in range(_UPLOADS - 1):
            await self.agent()
            with contextlib.suppress(ContactLost):
                return await self.contact.upload(file, path, sha256)
        await self.agent()
        return await self.contact.upload(file, path, sha256)

    def check_room(self) -> None:
        """Raises LabError if its disk has no room for what the lab brings."""
        if self.facts is not None and self.facts.free < _NEEDED_FREE:
            free, needed = self.facts.free / 1e6, _NEEDED_FREE / 1e6
            raise LabError(f"{self._name} has {free:.0f} MB free on its disk, {needed:.0f} are needed; make room there")

    def lacks(self, ability: Ability) -> str:
        """Why it can't do that, as far as it was ever asked; "" if it can."""
        return why_not(ability, self._name, self.facts) if self.facts is not None else ""

    def check_on_it(self) -> None:
        """Called now and then: where it does not answer though it should, ask the backend in the background.

        It is asked about one that was switched off behind our back too: it may be switched on in the same way.
        """
        now = time.monotonic()
        if self.power == "up":
            if self._silent_since is None:
                self._silent_since = now
            due = now - self._silent_since >= _SILENT and now - self._looked >= _LOOK_EVERY
        else:
            due = self._astray and now - self._looked >= _LOOK_SELDOM
        if due and not self.turns.busy:
            self._looked = now
            self.look_soon()

    def look_soon(self) -> None:
        """Ask the backend in the background what is true, as after something was broken off."""
        self._ground.in_background(self._name, self._look(self.power))

    def forget_start(self) -> None:
        """It is switched on anew: its kernel may be another one, and SSH may listen elsewhere."""
        self.facts = None
        self._ground.logins.forget(self._name)

    def forget_disk(self) -> None:
        """The machine does not exist any more: one of that name is another one."""
        with contextlib.suppress(LabError):
            self._ground.pins.forget(self._name)
        self.facts = None

    async def _look(self, believed: Power) -> None:
        """Believe what the backend says, unless the machine was switched or came back meanwhile."""
        await self.turns.idle()
        if self._is_other(believed):
            return
        try:
            power = await self._ground.switch.look(self._name)
        finally:
            self._looked = time.monotonic()
        if self._is_other(believed):
            return
        if power is None:
            self._astray = believed != "up"  # it is asked again, as one that is up and silent is anyway
        if power == "up":
            self._ground.logins.forget(self._name)  # it may listen elsewhere by now
            self.contact.keep()
        if power in ("up", "halted", "off", "gone") and power != believed:
            if power == "gone":
                self.forget_disk()
            self.believe(power)
            self._astray = power != "up"

    def _is_other(self, believed: Power) -> bool:
        return self.turns.busy or self.power != believed or self.contact.agent_now is not None

    def _complain(self, words: str) -> None:
        self._ground.complaints.add(self._name, words)

    def _contact_changed(self) -> None:
        if self.contact.agent_now is not None:
            self._silent_since = None
            if self.power in ("halted", "off", "gone") and not self.turns.busy:
                self.believe("up")  # somebody switched it on behind our back
        else:
            self._lost()
        self._ground.changed()

    async def _connected(self, agent: Agent) -> None:
        """Make it fit for use; until then nobody else gets at it."""
        self._greeting = agent
        try:
            self.unfit = ""
            done = await agent.exec("/bin/sh", "-c", _CLAIM, "claim", layout.ROOT, layout.MARKER, layout.DISK)
            if done.code:
                self.unfit = f"{self._name} can't be used: {' '.join((done.out or done.err).split())}"
                raise LabError(self.unfit)
            if self.facts is None:
                self.facts = await agent.facts()
            await self._greet()
        finally:
            self._greeting = None
