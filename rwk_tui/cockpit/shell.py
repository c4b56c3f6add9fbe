"""A shell on a machine in the cockpit's own terminal: the cockpit makes room and listens on meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from rwk_tui.board.board import Board
from rwk_tui.board.rows import MachineRow
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.source import Terminals

if TYPE_CHECKING:
    from rwk_tui.cockpit.app import Cockpit
    from rwk_tui.daemon.protocol import TerminalOf

GOODBYE = 2.0
"""Seconds that a shell has to end when the cockpit must."""
LOOK = 0.5
"""Seconds between two looks whether the shell is stopped."""
_NEVER_BEGAN = (126, 127, 255)
"""Exit codes of what can't run a program, and of an ssh that could not log in or lost its machine."""


class NoShell(Exception):
    """There can be no shell here, in one line."""


def open_shell(app: Cockpit) -> None:
    """Open a shell on the machine of the picked row, or ask on which."""
    machine = picked_machine(app)
    if machine:
        _start(app, machine)
        return
    from rwk_tui.cockpit.screens.ask import Ask

    def answered(answer: str | None) -> None:
        if answer:
            _start(app, answer)

    rows = app.board.rows(MachineRow)
    answers = {str(at): (row.name, f"{row.name}  {marks.POWER[row.power].both}") for at, row in enumerate(rows, 1)}
    text = "In this terminal, with the lab's programs. The cockpit comes back when the shell ends."
    app.push_screen(Ask("Shell on which machine?", text, answers, hint="Esc leaves"), answered)


def picked_machine(app: Cockpit) -> str:
    """The machine of the thing under the cursor in the focused pane, "" where that has none."""
    picker = app.main.picker()
    seen = picker is not None and picker.has_focus and app.screen is app.main
    return machine_of(app.board, picker.picked) if picker is not None and seen else ""


def machine_of(board: Board, key: str) -> str:
    """The machine that the thing of that key is, or is on; "" if it is on none."""
    row = next((row for row in board.all() if row.key == key), None)
    return row.name if isinstance(row, MachineRow) else str(getattr(row, "machine", ""))


def _start(app: Cockpit, machine: str) -> None:
    app.run_worker(_open(app, machine), name="shell", group="shell", exit_on_error=False, exclusive=True)


async def _open(app: Cockpit, machine: str) -> None:
    try:
        source: object = app.source
        if not isinstance(source, Terminals):
            raise NoShell("there is no lab behind this screen")
        code = await run_suspended(app, await source.terminal(machine))
        if code < 0 or code in _NEVER_BEGAN:
            # What it said is on the terminal, behind the cockpit by now.
            raise NoShell(f"the shell on {machine} ended {_how(code)}; `rwk-tui shell {machine}` shows what it says")
    except SuspendNotSupported:
        app.refuse(NoShell(f"no room for a shell here; in a terminal: rwk-tui shell {machine}"))
    except Exception as error:  # noqa: BLE001 - whatever keeps the shell from opening is told, the cockpit stays
        app.refuse(error)


def _how(code: int) -> str:
    """How it ended, in words."""
    return f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"


async def run_suspended(app: Cockpit, found: TerminalOf) -> int:
    """Give the terminal to the shell until that ends; returns its exit code. Raises SuspendNotSupported, OSError."""
    # In a batch nothing is painted; what is painted while suspended would be kept, and never be seen.
    with app.suspend(), app.batch_update(), _terminal_as_it_is(), _deaf():
        print(f"A shell on {found.machine}; exit or Ctrl-D comes back to the cockpit.", flush=True)
        process = await asyncio.create_subprocess_exec(
            *found.argv, env=found.environment_at(os.environ), cwd=found.directory or None
        )
        try:
            return await _ended(process)
        finally:
            if process.returncode is None:
                await _end(process)


async def _ended(process: asyncio.subprocess.Process) -> int:
    """Wait for its end. A shell that stops itself would wait for someone to continue it, and nobody else is here."""
    ending = asyncio.ensure_future(process.wait())
    try:
        while not (await asyncio.wait({ending}, timeout=LOOK))[0]:
            if _is_stopped(process.pid):
                process.send_signal(signal.SIGCONT)
        return ending.result()
    finally:
        ending.cancel()


def _is_stopped(pid: int) -> bool:
    """Whether that child of ours is stopped, as far as the system can tell without telling only once."""
    try:
        return os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
    except (AttributeError, ChildProcessError):  # macOS has no such call; or it has just ended
        return False


async def _end(process: asyncio.subprocess.Process) -> None:
    """The cockpit is leaving: so must the shell, as when its line is cut."""
    process.send_signal(signal.SIGHUP)
    try:
        async with asyncio.timeout(GOODBYE):
            await process.wait()
    except TimeoutError:
        process.kill()


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """What is typed for a program in the shell must not end the cockpit.

    Not SIG_IGN, which the shell would inherit.
    """
    numbers = (signal.SIGINT, signal.SIGQUIT)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _terminal_as_it_is() -> Iterator[None]:
    """Take the terminal back from a shell that ended without giving it back, with its modes as they were."""
    terminal = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
    try:
        modes = termios.tcgetattr(terminal)
    except termios.error:  # no terminal, so nothing is taken from us
        yield
        return
    try:
        yield
    finally:
        # Whoever is in the background is stopped for this; only to ask that, as job control does, one ignores it.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            with contextlib.suppress(OSError, termios.error):
                os.tcsetpgrp(terminal, os.getpgrp())
                termios.tcsetattr(terminal, termios.TCSADRAIN, modes)
        finally:
            signal.signal(signal.SIGTTOU, before)
