"""Unit files: how systemd runs a unit of the lab, and the spec that it was made from, which is read back from it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rwk_tui.lab.protocol import LabError, Listen, UnitSpec
from rwk_tui.lab.remote import layout

# Some systems give themselves their addresses late; who listens at one of them then could not start.
_HAS_ADDRESS = """
command -v ip >/dev/null || exit 0
n=0
until ip -o address show to "$1" | grep -q . || [ "$n" -ge 200 ]; do n=$((n + 1)); sleep 0.1; done
"""
_PLAIN_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Written:
    """What the file of a unit says: its spec, and since when (unix s, on the machine's clock) its output is its own."""

    spec: UnitSpec
    since: float


def unit_text(spec: UnitSpec, program: str, machine: str, address: str, *, grace: float, since: float) -> str:
    """The unit file of a spec whose program lies at that path on the machine; it may take `grace` s to end.

    If it listens for others, it waits until the machine has that address.

    Raises LabError if a name in it can't be one.
    """
    after = " ".join(["network.target", *(layout.service(name) for name in spec.after if layout.can_be_unit(name))])
    variables = layout.environment(machine, dict(spec.environment))
    public = any(listen.public for listen in spec.listens)
    waits = [_command("/bin/sh", "-c", _HAS_ADDRESS, "wait", address)] if public else []
    lines = [
        "# Written by rwk-tui: a reset of the lab removes it.",
        "[Unit]",
        f"Description={spec.name} of the lab on {machine}",
        f"After={after}",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=exec",
        "User=root",
        f"WorkingDirectory={layout.DISK}",
        *(f"Environment={quoted(f'{name}={value}')}" for name, value in variables.items()),
        *(f"ExecStartPre={command}" for command in waits),
        f"ExecStart={_command(program, *spec.argv[1:])}",
        "Restart=no",
        "KillMode=control-group",
        f"TimeoutStopSec={grace:g}",
        "SuccessExitStatus=143",
        "LimitNOFILE=65536",
        "OOMPolicy=continue",
        "LogRateLimitIntervalSec=0",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
        "[X-Rwk]",
        f"Spec={_spec_line(spec, since)}",
        "",
    ]
    return "\n".join(lines)


def _command(*words: str) -> str:
    return " ".join(quoted(word, variables=True) for word in words)


def quoted(word: str, *, variables: bool = False) -> str:
    """A word as systemd reads it back unchanged; with `variables`, where it would replace $NAME too."""
    if "\0" in word:
        raise LabError("a unit's words can't hold a zero byte")
    text = "".join(_escaped(letter) for letter in word).replace("%", "%%")
    return '"' + (text.replace("$", "$$") if variables else text) + '"'


def _escaped(letter: str) -> str:
    if letter in _PLAIN_ESCAPES:
        return _PLAIN_ESCAPES[letter]
    return f"\\x{ord(letter):02x}" if ord(letter) < 32 or ord(letter) == 127 else letter


def _spec_line(spec: UnitSpec, since: float) -> str:
    entry = {
        "name": spec.name,
        "argv": spec.argv,
        "environment": spec.environment,
        "listens": [(listen.port, listen.public, listen.bound) for listen in spec.listens],
        "after": spec.after,
        "since": since,
    }
    return json.dumps(entry, separators=(",", ":"))  # ASCII, on one line


def read_spec(line: str, machine: str, name: str) -> Written:
    """What `Spec=` says. Raises LabError if it is damaged."""
    try:
        entry = json.loads(line)
        spec = UnitSpec(
            name=name,
            argv=tuple(str(word) for word in entry["argv"]),
            environment=tuple((str(variable), str(value)) for variable, value in entry["environment"]),
            listens=tuple(Listen(int(port), bool(public), bool(bound)) for port, public, bound in entry["listens"]),
            after=tuple(str(unit) for unit in entry["after"]),
        )
        return Written(spec, float(entry["since"]))
    except (KeyError, TypeError, ValueError) as error:
        raise LabError(f"{layout.unit_path(name)} on {machine} is damaged; reset the lab") from error
