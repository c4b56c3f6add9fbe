"""Runs a command on a farm of real Vagrant machines, and takes all of it down afterwards.

    PYTHONPATH=tests python -m farm --provider libvirt|lxc [--keep] -- COMMAND ARGS...
    PYTHONPATH=tests python -m farm --provider libvirt|lxc --install    # only what it needs of Debian
    PYTHONPATH=tests python -m farm --down [NAME...]    # what `--keep` left: all of it, or these farms

The command finds Vagrant set up (VAGRANT_HOME with the box, the provider as default) and RWK_VAGRANT_* saying what to
put into a Vagrantfile. The farm ends with the command's exit code, or with 3 if anything of the farm is left.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

from farm import libvirt, lxc
from farm.box import BOX, alone, cached_box
from farm.ground import PREFIX, Ground, clear, grounds, new_ground
from farm.packages import install_missing
from farm.tools import CACHE, NoFarm, run, say, timed

PROVIDERS = {"libvirt": libvirt.start, "lxc": lxc.start}
LEFT = 3


class Stopped(BaseException):
    """Somebody wants the farm to end: SIGINT, SIGTERM or SIGHUP."""


def stop(number: int, _frame: FrameType | None) -> None:
    raise Stopped(signal.Signals(number).name)


def main(words: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="farm", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--provider", choices=sorted(PROVIDERS))
    parser.add_argument("--keep", action="store_true", help="leave the farm running when the command has ended")
    parser.add_argument("--down", action="store_true", help="take down what --keep left: all, or the farms named")
    parser.add_argument("--install", action="store_true", help="only install what the provider needs")
    parser.add_argument("command", nargs="*", metavar="COMMAND")
    options = parser.parse_args(words)
    try:
        if os.geteuid() != 0:
            raise NoFarm("needs root: it makes namespaces, bridges and machines")
        if options.down:
            return down(options.command)
        if options.install and options.provider:
            install_missing(options.provider)
            return 0
        if not options.provider or not options.command:
            parser.error("needs --provider and a command")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        return farm(options.provider, options.command, keep=options.keep)
    except NoFarm as why:
        say(str(why))
        return 2
    except Stopped as why:
        say(f"ended by {why}")
        return 130


def farm(provider: str, command: Sequence[str], *, keep: bool) -> int:
    """Sets up, runs the command, takes down. Raises NoFarm."""
    install_missing(provider)
    box = cached_box(provider)
    # One at a time: a farm that is only just being made looks like a dead one.
    with alone(CACHE / ".ground"):
        for old in grounds():
            if not old.alive():
                clear(old)
        ground = new_ground(f"{PREFIX}{provider}-{os.getpid()}", keep=keep)
    kept = False
    try:
        with timed("set-up"):
            home = ground.state / "home"
            home.mkdir()
            (home / "Vagrantfile").write_text(PROVIDERS[provider](ground, box))
            ground.write_environment(environment(provider, ground))
            add = ("vagrant", "box", "add", "--name", BOX, "--provider", provider)
            run(ground.inside(*add, box / "package.box"), timeout=120, cwd=ground.state)
        with timed("command"):
            code = attend(ground, command)
        kept = keep
    finally:
        if kept:
            say(f"kept; run things inside with: {ground.enter} COMMAND (or: {ground.enter} bash)")
            say(f"take it down with: PYTHONPATH=tests python -m farm --down {ground.name}")
        else:
            # A second Ctrl-C must not leave half of it.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            with timed("tear-down"):
                left = clear(ground)
            for line in left:
                say(f"left: {line}")
    return LEFT if not kept and left else code


def environment(provider: str, ground: Ground) -> dict[str, str]:
    """What the command finds set."""
    return {
        "VAGRANT_HOME": str(ground.state / "home"),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "VAGRANT_DEFAULT_PROVIDER": provider,
        "VAGRANT_NO_COLOR": "1",
        "RWK_VAGRANT_BOX": BOX,
        "RWK_VAGRANT_PROVIDER": provider,
        "RWK_VAGRANT_ADDRESS": "172.17.8.101",
        "RWK_VAGRANT_MEMORY": "640",
        "RWK_VAGRANT_CPUS": "1",
        "RWK_VAGRANT_START": "240" if provider == "libvirt" else "60",
    }


def attend(ground: Ground, command: Sequence[str]) -> int:
    """Runs the command inside and waits for it; a signal to us is passed on to it first."""
    process = subprocess.Popen(ground.inside(*command))
    try:
        return process.wait()
    except Stopped:
        process.terminate()
        end = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        raise


def down(names: Sequence[str]) -> int:
    """Takes down these farms, or all that are left on this machine; tells of what resists. Raises NoFarm."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with alone(CACHE / ".ground"):
        there = grounds()
    unknown = sorted(set(names) - {ground.name for ground in there})
    if unknown:
        raise NoFarm(f"there is no farm named {', '.join(unknown)}")
    left = []
    for ground in there:
        if ground.name in names or not names:
            with timed(f"{ground.name} down"):
                left += clear(ground)
    for line in left:
        say(f"left: {line}")
    return LEFT if left else 0
