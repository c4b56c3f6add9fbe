"""The way in of `rwk-tui`: which command was typed, and how it ended."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from rwk_tui.commands.given import BAD_INPUT, FAILED, INTERRUPTED, OK, complain
from rwk_tui.usage import parser

TYPE_CHECKING = False  # type checkers take it for True; importing typing for it would cost as much as argparse
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

# Errors that are made for people, by name: importing the rooms that define them only to compare would be slow.
_PLAIN = {
    "BadInput": BAD_INPUT,
    "EngineError": FAILED,
    "LabError": FAILED,
    "DaemonError": FAILED,
    "CommandRefused": FAILED,
    "FaultRefused": FAILED,
    "Refused": FAILED,
    "CannotServe": FAILED,
    "BadTape": BAD_INPUT,
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 ok, 1 a check failed or the lab could not, 2 bad input, 130 Ctrl-C.

    Whatever is made for people ends as one line on stderr; only a mistake of ours ends in a traceback.
    """
    _mend_streams()
    arguments = parser().parse_args(argv)
    try:
        code = command(getattr(arguments, "run", "cockpit"))(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _give_up_output()
        return FAILED
    except OSError as error:
        _give_up_output()
        place = f"{error.filename}: " if error.filename else ""
        return complain(f"{place}{error.strerror or error}", FAILED)
    except Exception as error:
        names = [kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("rwk_tui.")]
        known = next((_PLAIN[name] for name in names if name in _PLAIN), None)
        if known is None:
            raise
        return complain(str(error), known)
    return code


def _mend_streams() -> None:
    """Open what the caller closed on the null device, and print what the terminal's encoding lacks as an escape."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 - it stays open to the end
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _give_up_output() -> None:
    """If what was printed can't go where it should (nobody reads, the disk is full), let Python not try once more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command(name: str) -> Callable[[argparse.Namespace], int]:
    """What carries out a command; only its own file is imported, so that others cost nothing."""
    if name == "completion":
        return _completion
    function: Callable[[argparse.Namespace], int] = getattr(
        import_module(f"rwk_tui.commands.{_FILES[name]}"), name.replace("-", "_")
    )
    return function


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(parser(), shell=arguments.shell))
    return OK


_FILES = {
    "cockpit": "screens",
    "notes": "screens",
    "view": "screens",
    "web": "screens",
    "replay": "screens",
    "tape-info": "tapes",
    "tape-export": "tapes",
    "play": "lab",
    "soak": "lab",
    "report": "lab",
    "up": "lab",
    "env": "lab",
    "shell": "lab",
    "down": "lab",
    "check": "chapters",
    "chapters": "chapters",
    "engines": "engines",
    "install": "engines",
    "clean": "engines",
    "doctor": "engines",
}
"""The file in `rwk_tui/commands` where a command is."""
