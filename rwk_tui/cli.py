"""The commands of `rwk-tui`, and nothing else: heavy imports happen inside them, so that --help costs little."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from rwk_tui.usage import parser

TYPE_CHECKING = False  # type checkers take it for True; importing typing for it would cost as much as argparse
if TYPE_CHECKING:
    from rwk_tui.settings import Settings

_OK, _FAILED, _BAD_INPUT, _INTERRUPTED = 0, 1, 2, 130
_SETTINGS = ("state", "engines", "scenarios", "backend", "theme", "subnet", "fast")

# Errors that are made for people, by name: importing the rooms that define them only to compare would be slow.
_PLAIN = {
    "BadInput": _BAD_INPUT,
    "EngineError": _FAILED,
    "LabError": _FAILED,
    "DaemonError": _FAILED,
    "CommandRefused": _FAILED,
    "FaultRefused": _FAILED,
    "Refused": _FAILED,
    "BadTape": _BAD_INPUT,
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 ok, 1 a check failed or the lab could not, 2 bad input, 130 Ctrl-C.

    Whatever is made for people ends as one line on stderr; only a mistake of ours ends in a traceback.
    """
    _mend_streams()
    arguments = parser().parse_args(argv)
    run = _COMMANDS[getattr(arguments, "run", "cockpit")]
    try:
        code = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _give_up_output()
        return _FAILED
    except OSError as error:
        _give_up_output()
        place = f"{error.filename}: " if error.filename else ""
        return _complain(f"{place}{error.strerror or error}", _FAILED)
    except Exception as error:
        names = [kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("rwk_tui.")]
        known = next((_PLAIN[name] for name in names if name in _PLAIN), None)
        if known is None:
            raise
        return _complain(str(error), known)
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


def _complain(text: str, code: int) -> int:
    print(f"rwk-tui: {' '.join(text.split())}", file=sys.stderr)
    return code


def _settings(arguments: argparse.Namespace, *, daemon: bool = False) -> Settings:
    """The settings of this run; where a daemon will be needed, its socket must be possible too."""
    from pathlib import Path

    from rwk_tui.settings import check_socket, load_settings

    flags = {name: getattr(arguments, name) for name in _SETTINGS if hasattr(arguments, name)}
    config = Path(arguments.config) if hasattr(arguments, "config") else None
    settings = load_settings(flags, config=config)
    if daemon:
        check_socket(settings)
    return settings


def _cockpit(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments, daemon=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _complain("the cockpit needs a terminal; `rwk-tui play --all` does without", _BAD_INPUT)
    from rwk_tui.cockpit.run import run_cockpit

    return run_cockpit(settings)


def _play(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments, daemon=True)
    if arguments.all == bool(arguments.chapters):
        return _complain("play: name chapters, or say --all (`rwk-tui chapters` lists them)", _BAD_INPUT)
    from pathlib import Path

    from rwk_tui.daemon.play import run_play

    report_to = Path(arguments.report) if arguments.report else None
    return run_play(settings, arguments.chapters, all=arguments.all, json=arguments.json, report_to=report_to)


def _soak(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments, daemon=True)
    from pathlib import Path

    from rwk_tui.daemon.soak import Wanted, run_soak

    wanted = Wanted(
        faults=arguments.faults,
        seed=arguments.seed,
        stage=arguments.on,
        only=tuple(arguments.only),
        json=arguments.json,
        report_to=Path(arguments.report) if arguments.report else None,
    )
    return run_soak(settings, wanted)


def _report(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from pathlib import Path

    from rwk_tui.daemon.report import run_report

    return run_report(settings, json=arguments.json, output=Path(arguments.output) if arguments.output else None)


def _up(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments, daemon=True)
    from rwk_tui.daemon.up import run_up

    return run_up(settings, arguments.at)


def _env(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments, daemon=True)
    from rwk_tui.daemon.up import print_env

    return print_env(settings)


def _down(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments, daemon=True)
    from rwk_tui.daemon.up import run_down

    return run_down(settings)


def _check(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from rwk_tui.settings import BadInput
    from rwk_tui.story.load import load_chapter

    code = _OK
    for name in arguments.files:
        try:
            chapter = load_chapter(Path(name))
        except BadInput as error:
            code = _complain(str(error), _BAD_INPUT)
        else:
            print(f"{name}: ok, {len(chapter.steps)} steps")
    return code


def _chapters(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from rwk_tui.story.load import load_chapters

    chapters = load_chapters(settings)
    width = max((len(chapter.name) for chapter in chapters), default=0)
    for chapter in chapters:
        print(f"{chapter.name:<{width}}  {len(chapter.steps):>2} steps  {chapter.title}")
    return _OK


def _engines(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from rwk_tui.engines.report import print_engines

    return print_engines(settings, as_json=arguments.json)


def _install(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from rwk_tui.engines.front import open_front
    from rwk_tui.engines.install import install

    with open_front(as_json=arguments.json) as front:
        install(arguments.names, settings, front, origin=arguments.origin, force=arguments.force)
    return _OK


def _clean(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from rwk_tui.engines.clean import clean

    clean(settings, print)
    return _OK


def _doctor(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from rwk_tui.engines.doctor import print_doctor

    return print_doctor(settings)


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(parser(), shell=arguments.shell))
    return _OK


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "cockpit": _cockpit,
    "play": _play,
    "soak": _soak,
    "report": _report,
    "up": _up,
    "env": _env,
    "down": _down,
    "check": _check,
    "chapters": _chapters,
    "engines": _engines,
    "install": _install,
    "clean": _clean,
    "doctor": _doctor,
    "completion": _completion,
}
