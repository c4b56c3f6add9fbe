"""The daemon with Kubernetes in its lab: the user's own tools, a crash and a resume, and how long halting takes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.busy import stood_still
from support.daemon_real import attached, idle, lab_is, none_left
from support.remote_lab import BUSY

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import EngineRow, KubeRow, NodeRow
from rwk_tui.board.rows import LabRow
from rwk_tui.daemon.env import env_lines
from rwk_tui.daemon.protocol import Next, Open, Quit, Resume
from rwk_tui.settings import Settings, as_environment

pytestmark = [
    pytest.mark.real,
    pytest.mark.kubernetes,
    pytest.mark.usefixtures("kube_engines"),
    pytest.mark.timeout(600),
]

HALTS_WITHIN = 6.0
"""Seconds: a member that waits for its open streams takes 7."""
SHELL = 'eval "$LINES"; kubectl get nodes --no-headers; etcdctl endpoint health'


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, linger=1.0, fast=True)


def lab_row(board: Board) -> LabRow:
    row = board.get(LabRow, "lab")
    assert row is not None
    return row


def nodes_ready(*names: str) -> Callable[[Board], bool]:
    def holds(board: Board) -> bool:
        kube = board.get(KubeRow, "kube")
        ready = {row.name for row in board.rows(NodeRow) if row.state == "ready"}
        return kube is not None and kube.state == "ready" and kube.fresh and ready >= set(names)

    return holds


def with_own_tools(board: Board) -> str:
    """What the user's own kubectl and etcdctl say in a shell that knows nothing else."""
    done = subprocess.run(
        ["/bin/sh", "-c", SHELL],
        capture_output=True,
        text=True,
        check=False,
        timeout=30 * BUSY,
        env={"LINES": "\n".join(env_lines(board)), "PATH": "/usr/bin:/bin", "HOME": lab_row(board).directory},
    )
    return done.stdout + done.stderr


async def test_own_tools_work_through_a_crash_of_the_daemon_and_after_the_resume(settings: Settings) -> None:
    async with asyncio.timeout(200 * BUSY), attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lab_is("ready"))
        assert {row.state for row in lab.board.rows(EngineRow)} == {"ready"}
        assert ", Kubernetes 1." in lab_row(lab.board).engines
        await lab.do(Open(chapter="14-ha-control-plane"))
        await idle(lab)
        assert lab.board.story.error == ""
        await lab.until(nodes_ready("core-02", "core-03"))
        await lab.until(lambda board: "KUBECONFIG" in dict(lab_row(board).variables))
        told = await asyncio.to_thread(with_own_tools, lab.board)
        assert "is healthy" in told, told
        assert sorted(line.split()[0] for line in told.splitlines() if " Ready " in line) == ["core-02", "core-03"]
        os.kill(lab.client.welcome.pid, signal.SIGKILL)
        await lab.ended()
    await none_left(settings, 10)
    async with attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lab_is("choose"))
        left = lab_row(lab.board)
        assert "kube-apiserver" in left.left_behind
        assert "KUBECONFIG" in dict(left.variables)
        await lab.do(Resume())
        await lab.until(lab_is("ready"))
        await lab.until(nodes_ready("core-02", "core-03"))
        told = await asyncio.to_thread(with_own_tools, lab.board)
        assert "is healthy" in told, told
        assert told.count(" Ready ") == 2, told
        await idle(lab)
        await lab.do(Next())
        await idle(lab)
        assert lab.board.story.steps[0].status == "passed", lab.board.story
        with stood_still() as still:
            began = time.monotonic()
            await lab.client.call(Quit())
            await lab.ended()
            took = time.monotonic() - began
        print(f"three members, two API servers, two workers: halted in {took:.2f} s")
        assert took - still() < HALTS_WITHIN, "a member that halts waits 7 s for open streams"
    await none_left(settings, 10)


async def test_a_chapter_whose_engines_are_missing_is_passed_over(settings: Settings) -> None:
    bare = replace(settings, engine_cache=settings.state.parent / f"{settings.state.name}-cache")
    words = [sys.executable, "-m", "rwk_tui", "play", "11-workers", "02-etcd-single"]
    done = await asyncio.to_thread(
        subprocess.run,
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=100 * BUSY,
        env={**os.environ, **as_environment(bare), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "and Kubernetes 1." in done.stdout
    assert "`rwk-tui engines install etcd-3." in done.stdout and " kubernetes-1." in done.stdout
    assert " passed · " in done.stdout
    assert done.stderr == ""
