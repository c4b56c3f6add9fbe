"""`rwk-tui up`, `env` and `down`: a lab for the user's own tools, without a screen."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import ApiServerRow, KubeRow, NodeRow
from rwk_tui.board.rows import LabRow, MachineRow, MemberRow, UnitRow
from rwk_tui.daemon.client import CommandRefused, DaemonClient, DaemonError
from rwk_tui.daemon.env import tell_env
from rwk_tui.daemon.hold import HALT_WITHIN, Follower, held_lab, run_interruptible
from rwk_tui.daemon.protocol import Open, Quit
from rwk_tui.settings import BadInput, Settings, check_socket
from rwk_tui.story.fault_story import is_made, made_chapter
from rwk_tui.story.load import load_chapters
from rwk_tui.story.schema import Chapter

HALT_LEFT_WITHIN = 300.0
"""Seconds that halting machines which outlive their daemon may take."""
SEEN_WITHIN = 30.0
"""Seconds for which a lab that is up is waited for to be seen; what is not seen by then is told as it stands."""


def run_up(settings: Settings, at: str) -> int:
    """Bring the lab to CHAPTER[:STEP] (steps count from 1) or to "lab:STAGE", hold it until Ctrl-C, then halt it.

    Raises BadInput.
    """
    chapters = {chapter.name: chapter for chapter in load_chapters(settings)}
    where = _place(chapters, at) if at else None
    return _run(settings, _up(settings, where))


def print_env(settings: Settings) -> int:
    """Print shell lines that make the user's own etcdctl and kubectl work with the running lab."""
    return _run(settings, tell_env(settings))


def run_down(settings: Settings) -> int:
    """Halt the lab that runs in the state directory and end its daemon; nothing to do is no failure."""
    return _run(settings, _down(settings))


def _run(settings: Settings, work: Coroutine[Any, Any, int]) -> int:
    try:
        check_socket(settings)
        return run_interruptible(work)
    except (DaemonError, CommandRefused) as error:
        print(f"rwk-tui: {error}", file=sys.stderr)
        return 1
    finally:
        work.close()


def _place(chapters: Mapping[str, Chapter], at: str) -> Open:
    if is_made(at):
        return Open(chapter=made_chapter(at).name)
    name, _, number = at.partition(":")
    if name not in chapters:
        raise BadInput(f"--at {at}: there is no chapter {name!r}: there are {', '.join(chapters)}")
    steps = len(chapters[name].steps)
    if number and not (number.isascii() and number.isdigit() and 1 <= int(number) <= steps + 1):
        raise BadInput(f"--at {at}: the step must be from 1 to {steps + 1} (the end), not {number!r}")
    return Open(chapter=name, step=int(number) - 1 if number else 0)


async def _up(settings: Settings, where: Open | None) -> int:
    async with held_lab(settings) as lab:
        if where is not None:
            await lab.do(where)
            await lab.until(lambda board: not board.story.busy)
            if lab.board.story.error:
                raise DaemonError(lab.board.story.error)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SEEN_WITHIN):
                await lab.until(seen)
        print(show(lab.board), flush=True)
        print(f'in another terminal: eval "$(rwk-tui env --state {shlex.quote(str(settings.state))})"')
        print("Ctrl-C halts the lab.", flush=True)
        reason = await lab.ended()
    raise DaemonError(f"the lab was ended from elsewhere: {reason}")


def seen(board: Board) -> bool:
    """Whether the probes have seen every machine, and what runs there: members, API servers, nodes."""
    running: dict[str, set[str]] = {"etcd": set(), "kube-apiserver": set(), "kubelet": set()}
    for row in board.rows(UnitRow):
        if row.state == "running":
            running.setdefault(row.unit, set()).add(row.machine)
    if not board.rows(MachineRow) or not running["etcd"] <= {row.machine for row in board.rows(MemberRow)}:
        return False
    if not running["kube-apiserver"]:
        return True
    kube = board.get(KubeRow, "kube")
    if kube is None or kube.state in ("none", "starting"):
        return False
    known = running["kube-apiserver"] <= {row.machine for row in board.rows(ApiServerRow)}
    nodes = running["kubelet"] <= {row.machine for row in board.rows(NodeRow)}
    return known and (kube.state != "ready" or (kube.fresh and nodes))


def show(board: Board) -> str:
    """The lab as it stands, a line a machine."""
    lab = board.get(LabRow, "lab")
    has: dict[str, list[str]] = {}
    for member in board.rows(MemberRow):
        has.setdefault(member.machine, []).append(f"etcd {member.role} {member.health}")
    for server in board.rows(ApiServerRow):
        has.setdefault(server.machine, []).append(f"API server {server.state}")
    for node in board.rows(NodeRow):
        has.setdefault(node.machine, []).append(f"node {node.state}")
    lines = [f"lab {lab.backend} with {lab.engines} in {lab.directory}"] if lab else []
    lines += [
        "  " + ", ".join([f"{row.name} {row.address} {row.power}", *has.get(row.name, ())])
        for row in board.rows(MachineRow)
    ]
    kube = board.get(KubeRow, "kube")
    if kube is not None and kube.state != "none":
        lines.append(f"  Kubernetes {kube.version} is {kube.state}{f': {kube.why}' if kube.why else ''}")
    story = board.story
    if story.chapter:
        next_step = story.steps[story.step].title if story.step < len(story.steps) else "the end"
        lines.append(f"  at {story.chapter}, before step {story.step + 1}: {next_step}")
    return "\n".join(lines)


async def _down(settings: Settings) -> int:
    try:
        client = await DaemonClient.connect(settings)
    except DaemonError as error:
        if settings.socket.exists() and not str(error).startswith("no lab is running"):
            raise
        if settings.outlives and await _halt_left_machines(settings):
            return 0
        print(f"no lab runs in {settings.state}")
        return 0
    patience = HALT_LEFT_WITHIN if settings.outlives else HALT_WITHIN
    try:
        async with Follower(client) as lab, asyncio.timeout(patience):
            await client.call(Quit(halt=True))
            said = await lab.ended()
            if not lab.halted:
                raise DaemonError(said)
    except TimeoutError:
        raise DaemonError(f"the lab is not halted within {patience:g} s (pid {client.welcome.pid})") from None
    finally:
        await client.close()
    print("the lab is halted")
    return 0


async def _halt_left_machines(settings: Settings) -> bool:
    """Halt the machines that an earlier daemon left running; whether there were any. Raises LabError."""
    from rwk_tui.lab.open import open_lab

    if not (settings.state / "lab").exists():
        return False
    lab = open_lab(settings, {})

    def tell(machine: str, words: str) -> None:
        print(f"{machine}: {words}", file=sys.stderr)

    lab.narrate(tell, tell)
    left = await lab.left_behind()
    # Where a start was broken off a machine is believed to be off, and may run.
    powers = [(await machine.status()).power for machine in lab.machines.values()]
    running = any(power in ("up", "off") for power in powers)
    if running:
        print(f"halting {left}", file=sys.stderr)
        await lab.down()
        print("the lab is halted")
    else:
        await lab.leave()
    return running
