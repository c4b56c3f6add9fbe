"""How a machine comes to run the agent: by one constant command, which then reads the agent itself from stdin."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from functools import cache

from rwk_tui.data import data_dir

MODULES = ("speech", "command", "files", "systemd", "units", "facts", "neighbours", "main")
"""The agent's files in assets/machine/agent, each after those that it imports."""
NAME = "rwk-agent"
"""What it is called in a machine's process list."""

# Sent at each start: it always fits this version of ours, and it needs no room on a disk that may be full.
_LOADER = (
    "import json,sys,types;"
    "said=json.loads(sys.stdin.buffer.readline());"
    'sys.argv[1:]=said["argv"];'
    '[exec(compile(text,name+".py","exec"),sys.modules.setdefault(name,types.ModuleType(name)).__dict__)'
    ' for name,text in said["modules"]];'
    'sys.modules["main"].main()'
)


def command(user: str) -> str:
    """The shell command that becomes the agent of a machine where we log in as that user."""
    sudo = () if user == "root" else ("sudo", "-n")
    return shlex.join((*sudo, "python3", "-I", "-S", "-c", _LOADER, NAME))


def first_words(argv: Sequence[str]) -> bytes:
    """What it must then read first, to run with these arguments."""
    return json.dumps({"argv": list(argv), "modules": _modules()}).encode() + b"\n"


@cache
def _modules() -> list[tuple[str, str]]:
    directory = data_dir("assets") / "machine" / "agent"
    return [(name, (directory / f"{name}.py").read_text(encoding="utf-8")) for name in MODULES]
