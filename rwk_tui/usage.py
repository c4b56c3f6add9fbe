"""The command line of `rwk-tui`: every command with its arguments and what is said of them."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # type checkers take it for True; importing typing for it would cost as much as argparse
if TYPE_CHECKING:
    from typing import NoReturn

OK, BAD_INPUT = 0, 2
MACHINES = ("core-01", "core-02", "core-03")
"""Said here once more: importing the board for it would take longer than all the rest."""

# What shell completion offers for an argument, in the words of shtab.
_FILES = {"bash": "_shtab_compgen_files", "zsh": "_files", "fish": "(__fish_complete_path (commandline -ct))"}
_DIRECTORIES = {"bash": "_shtab_compgen_dirs", "zsh": "_files -/", "fish": "(__fish_complete_directories)"}


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line; `run` says which command it was, and is not there for the cockpit."""
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("settings (before or after the command)")
    _place(group, "--state", "where the lab lives (RWK_STATE)", _DIRECTORIES)
    _place(group, "--engines", "take the engines from there (RWK_ENGINES)", _DIRECTORIES)
    _place(group, "--scenarios", "tell the chapters of that directory (RWK_SCENARIOS)", _DIRECTORIES)
    _place(group, "--config", "settings file (default: rwk-tui.toml here, if there is one)", _FILES)
    group.add_argument("--backend", metavar="NAME", help="what machines are: local, vagrant or ssh (RWK_BACKEND)")
    _place(group, "--hosts", "where the machines of --backend ssh are (RWK_HOSTS)", _FILES)
    _place(group, "--tape", "record the run there, to be replayed; an older tape is kept (RWK_TAPE)", _FILES)
    group.add_argument(
        "--theme", metavar="NAME", help="dark, light, high-contrast, colour-blind or your own (RWK_THEME)"
    )
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

    def command(name: str, text: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, parents=[common], help=text, description=text[0].upper() + text[1:] + ".")
        found.set_defaults(run=name)
        return found

    notes = command("notes", "show the speaker notes of the running lab in a second terminal, and drive it from there")
    notes.add_argument("--read-only", action="store_true", help="only look: no key there changes the lab")
    command("view", "look at the running lab in another terminal: no key there changes it")
    web = command("web", "let browsers look at the running lab: no key there changes it")
    web.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: 127.0.0.1)")
    web.add_argument("--port", type=int, default=8123, metavar="N", help="and on which port (default: 8123; 0: any)")
    web.add_argument(
        "--name", action="append", default=[], metavar="HOST", help="a further name of this computer; may be repeated"
    )
    web.add_argument("--visitors", type=int, default=8, metavar="N", help="how many at once, 1 to 32 (default: 8)")
    play = command("play", "run chapters without a screen, and fail where a check fails")
    play.add_argument("chapters", nargs="*", metavar="CHAPTER", help="see `rwk-tui chapters`")
    play.add_argument("--all", action="store_true", help="every chapter, in order")
    play.add_argument(
        "--install", action="store_true", help="get what is missing, each just before the chapter that needs it"
    )
    play.add_argument("--json", action="store_true", help="one JSON line a step and a fault's card, and a summary")
    _complete(play.add_argument("--report", metavar="FILE", help="write the faults' cards there, as Markdown"), _FILES)
    _fast(play)
    soak = command("soak", "strike the lab with random faults under load, and fail where anything is lost")
    soak.add_argument("--faults", type=int, default=200, metavar="N", help="how many (default: 200)")
    soak.add_argument("--seed", type=int, metavar="N", help="draw the same faults again (default: another each time)")
    soak.add_argument(
        "--on",
        choices=["etcd", "secured", "kubernetes"],
        default="secured",
        help="three members, the same with certificates (default), or with Kubernetes on top",
    )
    soak.add_argument(
        "--only", action="append", default=[], metavar="FAULT", help="draw from these only; may be repeated"
    )
    soak.add_argument("--json", action="store_true", help="JSON lines, the last one a summary")
    _complete(soak.add_argument("--report", metavar="FILE", help="write the faults' cards there, as Markdown"), _FILES)
    _fast(soak)
    up = command("up", "bring the lab to a place in the story and hold it there until Ctrl-C")
    up.add_argument(
        "--at",
        default="",
        metavar="CHAPTER[:STEP]",
        help="where to; or lab:etcd, lab:secured, lab:kubernetes (default: three empty machines)",
    )
    _fast(up)
    report = command("report", "print the report cards of all faults that were healed, as Markdown")
    report.add_argument("--json", action="store_true", help="as JSON lines")
    _complete(report.add_argument("--output", metavar="FILE", help="write it there instead"), _FILES)
    command("env", 'print what makes your own etcdctl and kubectl work with the lab: eval "$(rwk-tui env)"')
    shell = command("shell", "open a shell on a machine of the running lab, with the lab's programs and its profile")
    shell.add_argument("machine", choices=MACHINES, metavar="MACHINE", help=", ".join(MACHINES))
    replay = command("replay", "play a recording of a run in the cockpit: pause, seek, faster")
    told = "a tape that --tape made (default: the whole story, as it was once recorded)"
    _complete(replay.add_argument("file", nargs="?", metavar="FILE", help=told), _FILES)
    _tape(command("tape", "say what a recording holds, or export it"), common)
    command("down", "halt the lab and end its daemon; what is on disk stays")
    check = command("check", "read chapter files and say what is wrong with them")
    _complete(check.add_argument("files", nargs="+", metavar="FILE"), _FILES)
    command("chapters", "list the chapters")
    engines = command("engines", "list the upstream binaries, which are used, and whether they are good enough")
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
    install.add_argument("--keep", action="store_true", help="keep what building leaves, for an install that follows")
    install.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="progress as JSON lines")
    install.set_defaults(run="install")
    clean = inner.add_parser("clean", parents=[common], help="free what installing left; the engines stay")
    clean.set_defaults(run="clean")
    command("doctor", "say what works here, and what to do about the rest")
    completion = command("completion", "print the completion script of a shell")
    completion.add_argument("shell", choices=["bash", "zsh", "fish"])
    return top


def _tape(tape: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    inner = tape.add_subparsers(title="commands", metavar="COMMAND", required=True)
    info = inner.add_parser("info", parents=[common], help="how long, how large, which story, which faults")
    _complete(info.add_argument("file", metavar="FILE", help="a tape that --tape made"), _FILES)
    info.add_argument("--json", action="store_true", help="as JSON")
    info.set_defaults(run="tape-info")
    export = inner.add_parser("export", parents=[common], help="write what it holds in other forms")
    _complete(export.add_argument("file", metavar="FILE", help="a tape that --tape made"), _FILES)
    _complete(export.add_argument("--report", metavar="FILE", help="chapters and report cards, as Markdown"), _FILES)
    _complete(export.add_argument("--events", metavar="FILE", help="the timeline, as JSON lines"), _FILES)
    _complete(export.add_argument("--cast", metavar="FILE", help="the screen, as an asciicast"), _FILES)
    _complete(export.add_argument("--stills", metavar="DIR", help="the screen at each step, as SVG"), _DIRECTORIES)
    export.add_argument("--size", default="120x40", metavar="WxH", help="of that screen (default: 120x40)")
    export.set_defaults(run="tape-export")


class _Version(argparse.Action):
    """--version, with its import only when it is asked for."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from rwk_tui import __version__

        print(f"rwk-tui {__version__}")
        parser.exit(OK)


def _place(group: argparse._ArgumentGroup, flag: str, text: str, kind: dict[str, str]) -> None:
    _complete(group.add_argument(flag, metavar="DIR" if kind is _DIRECTORIES else "FILE", help=text), kind)


def _fast(parser: argparse.ArgumentParser) -> None:
    text = "short timings for Kubernetes: a lost worker is replaced after some 20 s instead of a minute (RWK_FAST)"
    parser.add_argument("--fast", action="store_const", const="true", default=argparse.SUPPRESS, help=text)


def _complete(action: argparse.Action, kind: dict[str, str]) -> None:
    action.complete = kind  # type: ignore[attr-defined]  # shtab looks for it there
