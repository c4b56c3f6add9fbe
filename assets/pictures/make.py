"""Draws the pictures of the README from a real run: a real lab, a real fault, and the cockpit as it showed them."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from rwk_tui.board.rows import CanaryRow, FaultRow, LabRow, MemberRow, PodRow, QuorumRow
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.source import to_daemon
from rwk_tui.daemon.protocol import Heal, Inject, Next, Open, Quit, Reset
from rwk_tui.settings import load_settings

HERE = Path(__file__).parent


async def until(pilot: Pilot[None], holds: Callable[[], bool], what: str, deadline: float = 90.0) -> None:
    """Wait until it holds on the board; SystemExit after `deadline` seconds."""
    try:
        async with asyncio.timeout(deadline):
            while not holds():
                await pilot.pause(0.05)
    except TimeoutError:
        raise SystemExit(f"waited {deadline:g} s for {what}") from None


def save(app: Cockpit, name: str) -> None:
    """Write what is on the screen as an SVG that loads nothing from elsewhere."""
    picture = app.export_screenshot(title="rwk-tui")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (HERE / f"{name}.svg").write_text(picture, encoding="utf-8")
    print(f"{HERE / name}.svg")


async def tell(app: Cockpit, pilot: Pilot[None]) -> None:
    """Chapter 4 until it is going well, then pull the leader's plug."""
    board = app.board

    def lab(state: str) -> bool:
        row = board.get(LabRow, "lab")
        return row is not None and row.state == state

    def leader() -> str:
        row = board.get(QuorumRow, "quorum")
        return row.leader if row is not None else ""

    def whole() -> bool:
        members = [row for row in board.rows(MemberRow) if row.health == "healthy" and row.fresh]
        return len(members) == 3 and bool(leader()) and not board.story.busy

    def canary() -> int:
        row = board.get(CanaryRow, "canary/etcd")
        return row.acknowledged if row is not None else 0

    await until(pilot, lambda: lab("ready") or lab("choose"), "the lab")
    if lab("choose"):
        app.send(Reset())
    app.send(Open(chapter="04-machine-failure"))
    await until(pilot, whole, "three members")
    app.send(Next())
    await until(pilot, lambda: board.story.step == 1 and not board.story.busy, "the first step")
    await until(pilot, lambda: canary() > 150, "some writes")
    first = leader()
    app.send(Inject(fault="power-cut", target="leader"))
    await until(pilot, lambda: leader() not in ("", first), "another leader")
    await until(pilot, lambda: any(event.kind == "effect" for event in board.events), "the measured effect")
    await pilot.pause(2.5)
    save(app, "cockpit")
    await pilot.resize_terminal(80, 24)
    await pilot.press("2")
    await pilot.pause(1.5)
    save(app, "cockpit-80x24")
    app.send(Heal(fault="all"))
    await until(pilot, lambda: whole() and not board.rows(FaultRow), "a whole lab")


async def lose_worker(app: Cockpit, pilot: Pilot[None]) -> None:
    """Chapter 12 until a halted worker's pods run elsewhere."""
    board = app.board

    def pods(state: str, node: str) -> int:
        return sum(row.state == state and row.node == node for row in board.rows(PodRow))

    app.send(Open(chapter="12-worker-failure"))
    await until(pilot, lambda: board.story.chapter.startswith("12") and bool(board.story.busy), "the chapter")
    for step in (0, 1, 2, 3):
        await until(pilot, lambda step=step: board.story.step == step and not board.story.busy, f"step {step + 1}")  # type: ignore[misc]
        if step < 3:
            app.send(Next())
    app.send(Next())
    await until(pilot, lambda: pods("running", "core-02") == 10 and pods("terminating", "core-03") == 5, "ten pods")
    await until(pilot, lambda: not board.story.busy, "the step's end")
    await pilot.pause(1.5)
    save(app, "kubernetes")


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rwk-pictures-", ignore_cleanup_errors=True) as state:
        given = dict(pair.split("=", 1) for pair in sys.argv[1:])
        settings = load_settings(flags={"state": state, "fast": "true", **given})
        app = Cockpit(settings, to_daemon(settings))
        async with app.run_test(size=(120, 40)) as pilot:
            try:
                await tell(app, pilot)
                await pilot.resize_terminal(120, 40)
                await pilot.press("escape", "2", "2")
                await lose_worker(app, pilot)
            finally:
                app.send(Quit())
                await until(pilot, lambda: app.contact.state in ("ended", "lost"), "the lab to halt")


if __name__ == "__main__":
    asyncio.run(main())
