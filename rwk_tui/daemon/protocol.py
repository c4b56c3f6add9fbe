"""What a client and the daemon say to each other: one JSON object a line, typed on both ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from rwk_tui.board.frames import PROTOCOL, Frame

LINE_LIMIT = 8 * 1024 * 1024
"""Bytes in the longest line a client accepts; the daemon accepts `COMMAND_LIMIT`."""
COMMAND_LIMIT = 64 * 1024
OF_THE_TERMINAL = ("TERM", "COLORTERM")
"""Variables that describe a terminal: a shell in it needs them, and the daemon has none."""


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    """One wish of a client; `id` comes back in the reply."""

    id: int = 0


class Hello(Command, frozen=True, kw_only=True, tag="hello"):
    """The first line of every client. A viewer may only look; `attend` says that this client's going ends the lab.

    `started` is the pid of the daemon that this client started, 0 if none: a headless client attends no other's lab.
    `refusals` asks to be told what others are refused; who does not ask may not know that message.
    """

    protocol: int = PROTOCOL
    version: str = ""
    role: Literal["driver", "viewer"] = "driver"
    attend: Literal["cockpit", "headless", "none"] = "none"
    started: int = 0
    refusals: bool = False


class Open(Command, frozen=True, kw_only=True, tag="open"):
    """Open a chapter and prepare the lab to its step (index, 0-based)."""

    chapter: str
    step: int = 0


class Next(Command, frozen=True, kw_only=True, tag="next"):
    """Run the shown step."""


class Back(Command, frozen=True, kw_only=True, tag="back"):
    """Prepare the lab to the step before the shown one."""


class Repeat(Command, frozen=True, kw_only=True, tag="repeat"):
    """Run the last step once more."""


class Skip(Command, frozen=True, kw_only=True, tag="skip"):
    """Pass over the shown step."""


class Cancel(Command, frozen=True, kw_only=True, tag="cancel"):
    """Stop what the director does; never refused."""


class Inject(Command, frozen=True, kw_only=True, tag="inject"):
    """Inject a fault of the catalogue into a target; `confirm` is the machine's name where the fault destroys."""

    fault: str
    target: str
    confirm: str = ""


class Heal(Command, frozen=True, kw_only=True, tag="heal"):
    """Heal one active fault by its id, or the newest with "" , or every one with "all"; never refused."""

    fault: str = ""


class Power(Command, frozen=True, kw_only=True, tag="power"):
    """Switch a machine by hand; `destroy` needs `confirm` to be its name."""

    machine: str
    verb: Literal["start", "stop", "kill", "destroy"]
    confirm: str = ""


class Reset(Command, frozen=True, kw_only=True, tag="reset"):
    """Bring the lab to three empty machines; also the answer to a lab left behind."""


class Resume(Command, frozen=True, kw_only=True, tag="resume"):
    """Go on with the lab that an earlier run left behind, as after a power cut."""


class Logs(Command, frozen=True, kw_only=True, tag="logs"):
    """Send the newest lines of a unit's output, then what comes; unit "" ends it."""

    machine: str = ""
    unit: str = ""
    lines: int = 200


class Shell(Command, frozen=True, kw_only=True, tag="shell"):
    """Say what to run at a terminal for a shell on that machine; `TerminalOf` comes before the reply."""

    machine: str


class Install(Command, frozen=True, kw_only=True, tag="install"):
    """Get engines, by the names of their rows, in the background; with `stop`, break off what is being got.

    With `more`, others will be asked for later: what building leaves behind is kept for them.
    """

    engines: tuple[str, ...] = ()
    stop: bool = False
    more: bool = False


class Detach(Command, frozen=True, kw_only=True, tag="detach"):
    """Leave, and let the lab run on."""


class Quit(Command, frozen=True, kw_only=True, tag="quit"):
    """End the daemon and halt the lab; machines that outlive it are halted with `halt` only, else left running."""

    halt: bool = False


AnyCommand = (
    Hello
    | Open
    | Next
    | Back
    | Repeat
    | Skip
    | Cancel
    | Inject
    | Heal
    | Power
    | Reset
    | Resume
    | Logs
    | Shell
    | Install
    | Detach
    | Quit
)


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome", tag_field="t"):
    """The daemon's first line; a full frame follows.

    `tape` is the file that it records to and `wished` the one that it was told, which may have been there already; ""
    for none.
    """

    protocol: int
    version: str
    pid: int
    tape: str = ""
    wished: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True, tag="reply", tag_field="t"):
    """The answer to the command `id`: taken, or `error` says in one line why not.

    `seq` is the last frame sent before it: what the command changed at once is in the frames up to that one.
    """

    id: int
    error: str = ""
    seq: int = 0


class LogLines(msgspec.Struct, frozen=True, kw_only=True, tag="log", tag_field="t"):
    """Lines of the unit whose output this client follows."""

    machine: str
    unit: str
    lines: tuple[str, ...]


class TerminalOf(msgspec.Struct, frozen=True, kw_only=True, tag="terminal", tag_field="t"):
    """What the command `id` asked for: run `argv` there with nothing in its environment but this and the terminal's.

    "" as `directory` is any.
    """

    id: int
    machine: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    directory: str = ""

    def environment_at(self, here: Mapping[str, str]) -> dict[str, str]:
        """All that the shell gets at a terminal whose own environment is `here`."""
        return {name: here[name] for name in OF_THE_TERMINAL if name in here} | self.environment


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused", tag_field="t"):
    """Another client was refused a command, by its name on the wire; `error` says in one line why."""

    command: str
    error: str


class Bye(msgspec.Struct, frozen=True, kw_only=True, tag="bye", tag_field="t"):
    """The daemon ends the conversation, and why.

    `again` means that a new daemon can be had in a moment, `halted` that nothing of the lab runs any more.
    """

    reason: str
    again: bool = False
    halted: bool = False


FromDaemon = Welcome | Frame | Reply | LogLines | TerminalOf | Refused | Bye
