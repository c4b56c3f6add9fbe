"""What the local backend does, as commands that a person would type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from rwk_tui.lab.protocol import UnitSpec, UnitVerb

WIDTH = 100


def as_word(line: str) -> str:
    """A command line as one word of another one, in the quotation marks that leave it most readable."""
    return shlex.quote(line) if re.search(r'["$`\\!]', line) else f'"{line}"'


def laid_out(words: Sequence[str]) -> str:
    """Words that are quoted already, on one line if that fits the screen, else one word a line."""
    line = " ".join(words)
    return line if len(line) <= WIDTH else " \\\n  ".join(words)


def command(argv: Sequence[str], environment: Iterable[tuple[str, str]] = ()) -> list[str]:
    """The quoted words of a command, `env` in front of its environment; the program's arguments are one word."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in environment]
    program = shlex.join(argv)
    return ["env", *variables, program] if variables else [program]


def start_unit(spec: UnitSpec, log: str) -> str:
    """Run the program in the background with its output in its log."""
    *before, program = command(spec.argv, spec.environment)
    return laid_out([*before, f"{program} >>{shlex.quote(log)} 2>&1 &"])


def signal_groups(signal: str, pids: Sequence[int], otherwise: str) -> str:
    """Signal whole process groups; where there is none, a comment that says so."""
    if not pids:
        return f"# {otherwise}"
    return f"kill -{signal} -- " + " ".join(f"-{pid}" for pid in pids)


def unit(verb: UnitVerb, spec: UnitSpec, log: str, pids: Sequence[int], otherwise: str) -> str:
    """What is typed for a unit that runs as these groups; where there is none, a comment that says so."""
    match verb:
        case "start":
            return start_unit(spec, log)
        case "restart":
            return f"{signal_groups('TERM', pids, otherwise)}\n{start_unit(spec, log)}"
        case "stop":
            return signal_groups("TERM", pids, otherwise)
        case "kill":
            return signal_groups("KILL", pids, otherwise)
        case "pause":
            return signal_groups("STOP", pids, otherwise)
        case "resume":
            return signal_groups("CONT", pids, otherwise)


def run(argv: Sequence[str], environment: Mapping[str, str] | None, machine: str = "") -> str:
    """A command with the machine it runs on, if it runs on one."""
    text = laid_out(command(argv, sorted((environment or {}).items())))
    if not machine:
        return text
    return f"{text}  # on {machine}" if "\n" not in text else f"# on {machine}\n{text}"
