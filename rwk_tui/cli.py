"""The commands of `rwk-tui`, and nothing else: heavy imports happen inside them, so that --help costs little."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

TYPE_CHECKING = False  # type checkers take it for True; importing typing for it would cost as much as argparse
if TYPE_CHECKING:
    from typing import NoReturn

    from rwk_tui.settings import Settings

_OK, _FAILED, _BAD_INPUT, _INTERRUPTED = 0, 1, 2, 130

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
# What shell completion offers for an argument, in the words of shtab.
_FILES = {"bash": "_shtab_compgen_files", "zsh": "_files", "fish": "(__fish_complete_path (commandline -ct))"}
_DIRECTORIES = {"bash": "_shtab_compgen_dirs", "zsh": "_files -/", "fish": "(__fish_complete_directories)"}
_SETTINGS = ("state", "engines", "scenarios", "backend", "theme", "subnet", "fast")


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_BAD_INPUT, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 ok, 1 a check failed or the lab could not, 2 bad input, 130 Ctrl-C.

    Whatever is made for people ends as one line on stderr; only a mistake of ours ends in a traceback.
    """
    _mend_streams()
    arguments = parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = getattr(arguments, "run", _cockpit)
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


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("settings (before or after the command)")
    _place(group, "--state", "where the lab lives (RWK_STATE)", _DIRECTORIES)
    _place(group, "--engines", "take the engines from there (RWK_ENGINES)", _DIRECTORIES)
    _place(group, "--scenarios", "tell the chapters of that directory (RWK_SCENARIOS)", _DIRECTORIES)
    _place(group, "--config", "settings file (default: rwk-tui.toml here, if there is one)", _FILES)
    group.add_argument("--backend", metavar="NAME", help="what machines are made of: local (RWK_BACKEND)")
    group.add_argument("--theme", metavar="NAME", help="dark, light or high-contrast (RWK_THEME)")
    group.add_argument("--subnet", metavar="N", help=argparse.SUPPRESS)

    top = _Parser(
        prog="rwk-tui",
        parents=[common],
        description=(
            "Watch real etcd and real Kubernetes on three machines fail and come back. Without a command: the cockpit."
        ),
        epilog="Exit codes: 0 all well, 1 a check failed or the lab could not, 2 bad input, 130 interrupted.",
    )
    top.add_argument("--version", action=_Version)
    _fast(top)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, parents=[common], help=text, description=text[0].upper() + text[1:] + ".")
        found.set_defaults(run=run)
        return found

    play = command("play", _play, "run chapters without a screen, and fail where a check fails")
    play.add_argument("chapters", nargs="*", metavar="CHAPTER", help="see `rwk-tui chapters`")
    play.add_argument("--all", action="store_true", help="every chapter, in order")
    play.add_argument("--json", action="store_true", help="one JSON line a step, and a summary")
    _fast(play)
    up = command("up", _up, "bring the lab to a place in the story and hold it there until Ctrl-C")
    up.add_argument("--at", default="", metavar="CHAPTER[:STEP]", help="where to (default: three empty machines)")
    _fast(up)
    command("env", _env, 'print what makes your own etcdctl and kubectl work with the lab: eval "$(rwk-tui env)"')
    command("down", _down, "halt the lab and end its daemon; what is on disk stays")
    check = command("check", _check, "read chapter files and say what is wrong with them")
    _complete(check.add_argument("files", nargs="+", metavar="FILE"), _FILES)
    command("chapters", _chapters, "list the chapters")
    engines = command(
        "engines", _engines, "list the upstream binaries, which are used, and whether they are good enough"
    )
    engines.add_argument("--json", action="store_true", help="as JSON")
    inner = engines.add_subparsers(title="commands", metavar="COMMAND")
    install = inner.add_parser("install", parents=[common], help="get engines into the cache")
    install.add_argument(
        "names", nargs="*", metavar="NAME", help="etcd, kubernetes, kwok, or a minor: etcd-3.6 (default: all of them)"
    )
    install.add_argument(
        "--from",
        dest="origin",
        choices=["download", "go"],
        help="official files, or built with Go (default: in this order)",
    )
    install.add_argument("--force", action="store_true", help="get them even if they are there")
    install.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="progress as JSON lines")
    install.set_defaults(run=_install)
    clean = inner.add_parser("clean", parents=[common], help="free what installing left; the engines stay")
    clean.set_defaults(run=_clean)
    command("doctor", _doctor, "say what works here, and what to do about the rest")
    completion = command("completion", _completion, "print the completion script of a shell")
    completion.add_argument("shell", choices=["bash", "zsh", "fish"])
    return top


class _Version(argparse.Action):
    """--version, with its import only when it is asked for."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from rwk_tui import __version__

        print(f"rwk-tui {__version__}")
        parser.exit(_OK)


def _place(group: argparse._ArgumentGroup, flag: str, text: str, kind: dict[str, str]) -> None:
    _complete(group.add_argument(flag, metavar="DIR" if kind is _DIRECTORIES else "FILE", help=text), kind)


def _fast(parser: argparse.ArgumentParser) -> None:
    text = "short timings for Kubernetes: a lost worker is replaced after some 20 s instead of a minute (RWK_FAST)"
    parser.add_argument("--fast", action="store_const", const="true", default=argparse.SUPPRESS, help=text)


def _complete(action: argparse.Action, kind: dict[str, str]) -> None:
    action.complete = kind  # type: ignore[attr-defined]  # shtab looks for it there


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
    from rwk_tui.daemon.play import run_play

    return run_play(settings, arguments.chapters, all=arguments.all, json=arguments.json)


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
