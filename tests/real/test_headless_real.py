"""play, up, env and down as commands, on real engines."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.remote_lab import BUSY

from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.hold import Follower
from rwk_tui.settings import Settings, as_environment

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engines")]


def start(settings: Settings, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rwk_tui", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **as_environment(settings)},
    )


def run(settings: Settings, *words: str) -> tuple[int, str, str]:
    process = start(settings, *words)
    out, err = process.communicate(timeout=60 * BUSY)
    return process.returncode, out, err


def test_play_json_prints_a_line_a_step_and_the_summary(settings: Settings) -> None:
    code, out, err = run(settings, "play", "02-etcd-single", "--json")
    assert (code, err) == (0, "")
    *steps, last = [json.loads(line) for line in out.splitlines()]
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    assert {step["status"] for step in steps} == {"passed"}
    assert set(steps[0]) == {"chapter", "step", "title", "status", "seconds", "commands", "checks"}
    assert all(step["commands"] and step["checks"] for step in steps)
    assert last["summary"]["steps"] == last["summary"]["passed"] == len(steps)
    assert last["summary"]["chapters"] == 1


def test_play_fails_when_a_check_fails_and_passes_over_the_rest(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(
        "title: Wrong\ngoal: A check that can't hold\nstarts: {}\nsteps:\n"
        "  - title: Nothing serves here\n    say: x\n    expect:\n      - serving: core-01\n        within: 0.5\n"
        "  - title: Never reached\n    say: x\n    expect:\n      - serving: core-01\n"
    )
    flags = ("--scenarios", str(tmp_path))
    assert run(settings, "check", str(tmp_path / "wrong.yaml"))[0] == 0
    code, out, _ = run(settings, "play", "wrong", "--json", *flags)
    assert code == 1
    one, two, last = [json.loads(line) for line in out.splitlines()]
    assert (one["status"], two["status"]) == ("failed", "skipped")
    assert one["checks"][0]["status"] == "failed"
    assert last["summary"]["failed"] == last["summary"]["skipped"] == 1


async def test_a_lab_that_is_ended_in_a_step_is_said_and_is_no_failed_step(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text(
        "title: Slow\ngoal: A check that takes long\nstarts: {}\nsteps:\n"
        "  - title: Nothing serves here\n    say: x\n    expect:\n      - serving: core-01\n        within: 60\n"
    )
    play = await asyncio.to_thread(start, settings, "play", "slow", "--scenarios", str(tmp_path))
    try:
        async with asyncio.timeout(30 * BUSY):
            while not settings.socket.exists():  # noqa: ASYNC110 - nothing tells when a socket appears
                await asyncio.sleep(0.02)
            client = await DaemonClient.connect(settings, role="viewer")
            async with Follower(client) as lab:
                await lab.until(lambda board: any(step.status == "running" for step in board.story.steps))
                os.kill(client.welcome.pid, signal.SIGTERM)
            await client.close()
        out, err = await asyncio.to_thread(play.communicate, timeout=30 * BUSY)
    finally:
        play.kill()
    assert play.returncode == 1
    assert err == "rwk-tui: SIGTERM came; the lab is halted\n"
    assert "failed" not in out


def test_an_unknown_chapter_is_bad_input(settings: Settings) -> None:
    code, out, err = run(settings, "play", "99-nothing", "--json")
    assert (code, out) == (2, "")
    assert "99-nothing" in err
    assert len(err.splitlines()) == 1
    assert not settings.state.exists(), "nothing was started for it"


@pytest.mark.parametrize("delay", [0.05, 0.5, 3.0])
def test_ctrl_c_ends_a_play_with_everything_within_seconds(settings: Settings, delay: float) -> None:
    process = start(settings, "play", "--all", "--json")
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=30 * BUSY)
    assert process.returncode in (130, -signal.SIGINT), (out, err)
    assert "Traceback" not in err or delay <= 0.5  # the interpreter itself may still be starting
    assert time.monotonic() - began < 10
    assert not settings.socket.exists()


async def test_up_holds_a_lab_that_env_and_down_know(settings: Settings, programs: dict[str, Path]) -> None:
    up = await asyncio.to_thread(start, settings, "up", "--at", "04-machine-failure:1")
    assert up.stdout is not None
    try:
        lines: list[str] = []
        async with asyncio.timeout(40 * BUSY):
            while not lines or "Ctrl-C" not in lines[-1]:
                line = await asyncio.to_thread(up.stdout.readline)
                assert line, up.stderr and up.stderr.read()
                lines.append(line)
        assert sum("etcd" in line and "healthy" in line for line in lines) == 3
        code, out, err = await asyncio.to_thread(run, settings, "env")
        assert (code, err) == (0, "")
        done = await asyncio.to_thread(
            subprocess.run,
            ["sh", "-c", 'eval "$1"; etcdctl endpoint health', "sh", out],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin"},
        )
        assert (done.stdout + done.stderr).count("is healthy") == 3, done
        code, out, err = await asyncio.to_thread(run, settings, "play", "02-etcd-single")
        assert code == 1
        assert "already runs" in err
        code, out, _ = await asyncio.to_thread(run, settings, "down")
        assert code == 0
        assert "halted" in out
        assert await asyncio.to_thread(up.wait, 10 * BUSY) == 1
    finally:
        up.kill()
        up.communicate()
    code, _, err = run(settings, "env")
    assert code == 1
    assert "no lab is running" in err
    code, out, _ = run(settings, "down")
    assert code == 0
    assert "no lab runs" in out
