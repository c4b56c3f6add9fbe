"""The agent on a machine: commands, files and units, through a real SSH connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from support.lab import all_gone, eventually, output
from support.remote_ssh import NEEDS_AGENT, RemoteMachine, agent_of, machine_at
from support.tools import unavailable

from rwk_tui.lab.protocol import LabError, Line
from rwk_tui.lab.remote.agent import Agent
from rwk_tui.lab.remote.run import WINDOW

ENVIRONMENT = {"PATH": os.environ["PATH"], "RWK_TEST_RUN": os.environ.get("RWK_TEST_RUN", "")}
pytestmark = [NEEDS_AGENT, pytest.mark.process]
GIGABYTES = "import sys\nwhile True: sys.stdout.write('x' * 100_000 + chr(10))"


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[RemoteMachine]:
    async with machine_at(tmp_path / "machine") as machine:
        yield machine


@pytest.fixture
async def agent(machine: RemoteMachine) -> AsyncIterator[Agent]:
    async with agent_of(machine) as agent:
        yield agent


async def sh(agent: Agent, script: str) -> tuple[int, list[str], list[str]]:
    return await output(await agent.run(["sh", "-c", script], ENVIRONMENT, "/"))


async def gone(pid: int) -> bool:
    return await all_gone([pid])


async def test_a_command_tells_its_streams_apart_and_its_exit_code(agent: Agent) -> None:
    assert await sh(agent, "echo one; echo two >&2; printf three; exit 7") == (7, ["one", "three"], ["two"])
    assert await sh(agent, "kill -9 $$") == (137, [], [])
    assert await agent.exec("sh", "-c", "cat; echo $LC_ALL >&2", input=b"x" * 200_000) == (
        type(await agent.exec("true"))(0, "x" * 200_000, "C\n")
    )


async def test_a_command_has_the_environment_it_is_given_and_no_input(agent: Agent, tmp_path: Path) -> None:
    run = await agent.run(["sh", "-c", "env; pwd; cat"], {**ENVIRONMENT, "RWK_MACHINE": "core-02"}, str(tmp_path))
    code, out, _ = await output(run)
    assert code == 0
    assert "RWK_MACHINE=core-02" in out and out[-1] == str(tmp_path)
    assert not any(line.startswith("HOME=") for line in out)


async def test_lines_of_any_length_arrive_whole(agent: Agent) -> None:
    script = "import sys; print('a' * 300_000); print('b' * 3_000_000, file=sys.stderr); print('end')"
    code, out, err = await output(await agent.run([sys.executable, "-c", script], ENVIRONMENT, "/"))
    assert code == 0
    assert [len(line) for line in out] == [300_000, 3]
    assert "".join(err) == "b" * 3_000_000
    assert all(len(line) <= 1024 * 1024 + 64 * 1024 for line in err)


async def test_odd_bytes_do_no_harm(agent: Agent) -> None:
    assert await sh(agent, r"printf '\377\303\244\r\n\0'") == (0, ["\ufffdä", "\0"], [])


@pytest.mark.parametrize("streamed", [True, False])
async def test_what_can_not_be_started_says_why(agent: Agent, streamed: bool) -> None:
    with pytest.raises(LabError, match="core-02 can't run no-such-program: No such file"):
        await (agent.run(["no-such-program"], ENVIRONMENT, "/") if streamed else agent.exec("no-such-program"))
    with pytest.raises(LabError, match="/no/such/directory"):
        await agent.run(["true"], ENVIRONMENT, "/no/such/directory")


async def test_kill_ends_a_command_with_its_children(agent: Agent) -> None:
    run = await agent.run(["sh", "-c", "sleep 300 & echo $!; wait"], ENVIRONMENT, "/")
    lines = aiter(run)
    child = int((await anext(lines)).text)
    await run.kill()
    assert await run.wait() == 137
    await eventually(lambda: gone(child), what="the child's end")
    await run.kill()


async def test_whoever_stops_reading_ends_the_command(agent: Agent) -> None:
    run = await agent.run(["sh", "-c", "echo $$; exec sleep 300"], ENVIRONMENT, "/")
    pid = 0

    async def read() -> None:
        nonlocal pid
        async for line in run:
            pid = int(line.text)

    reading = asyncio.create_task(read())
    await eventually(lambda: asyncio.sleep(0, pid != 0), what="its pid")
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await eventually(lambda: gone(pid), what="its end")


async def test_a_child_that_leaves_the_group_does_not_hold_up_the_end(agent: Agent) -> None:
    if shutil.which("setsid") is None:
        unavailable("needs setsid")
    begun = time.monotonic()
    code, out, _ = await sh(agent, "setsid sleep 20 & echo $!")
    try:
        assert code == 0
        assert time.monotonic() - begun < 5
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(out[0]), signal.SIGKILL)


async def test_who_prints_gigabytes_is_held_back_and_disturbs_nobody(machine: RemoteMachine, agent: Agent) -> None:
    run = await agent.run([sys.executable, "-c", GIGABYTES], ENVIRONMENT, "/")
    first = await anext(aiter(run))
    assert first == Line("out", "x" * 100_000)
    pid = machine.agents[-1].pid
    (child,) = psutil.Process(pid).children()

    async def stands_still() -> bool:
        before = child.cpu_times().user
        await asyncio.sleep(0.1)
        return child.cpu_times().user == before

    await eventually(stands_still, what="a command that nobody reads to be held back")
    assert psutil.Process(pid).memory_info().rss < 40 * 2**20
    assert sum(len(data) for _, data in run._pieces._pieces) <= WINDOW + 64 * 1024
    for _ in range(20):
        await asyncio.wait_for(agent.units(), 1)
    count = 0
    async for _ in run:  # it goes on where somebody reads again
        count += 1
        if count > 100:
            break
    await asyncio.wait_for(run.kill(), 5)
    await eventually(lambda: gone(child.pid), what="its end")


async def test_a_slow_command_holds_up_nothing(agent: Agent) -> None:
    slow = asyncio.create_task(agent.exec("sleep", "20", within=60))
    for _ in range(10):
        await agent.units()
        await agent.exec("true")
    assert not slow.done()
    slow.cancel()


async def test_what_takes_too_long_is_ended(agent: Agent) -> None:
    with pytest.raises(LabError, match="sh on core-02 did not end within 0.5 s"):
        await agent.exec("sh", "-c", "echo $$ > /proc/self/fd/2; exec sleep 300", within=0.5)
    left = await agent.exec("pgrep", "-xf", "sleep 300", "-s", "0")
    assert left.out == ""


async def test_an_output_that_is_wanted_whole_has_a_limit(agent: Agent) -> None:
    with pytest.raises(LabError, match="16 MiB"):
        await agent.exec(sys.executable, "-c", GIGABYTES)


async def test_lines_follow_until_nobody_wants_them(agent: Agent) -> None:
    lines = agent.lines(["sh", "-c", "echo $$; echo err >&2; echo two; exec sleep 300"])
    pid = int(await anext(lines))
    assert await anext(lines) == "two"
    await lines.aclose()  # type: ignore[attr-defined]
    assert await gone(pid)


async def test_files_are_written_whole_with_private_parents(machine: RemoteMachine, agent: Agent) -> None:
    content = os.urandom(1_000_000)
    await agent.put("disk/etc/file", content, 0o640)
    file = machine.root / "disk" / "etc" / "file"
    assert file.read_bytes() == content == await agent.get(str(file))
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent, file.parent.parent)] == [0o640, 0o700, 0o700]
    await agent.put("disk/etc/file", b"", 0o600)
    assert await agent.get("disk/etc/file") == b""
    assert [path.name for path in file.parent.iterdir()] == ["file"]


async def test_files_that_can_not_be_had_say_why(machine: RemoteMachine, agent: Agent) -> None:
    with pytest.raises(LabError, match=r"core-02 can't read nothing: No such file or directory"):
        await agent.get("nothing")
    (machine.root / "full").mkdir()
    with pytest.raises(LabError, match=r"core-02 can't write full: Is a directory, \d+ MB are free"):
        await agent.put("full", b"x" * 600_000)
    assert [path.name for path in machine.root.iterdir()] == ["full"]


async def test_only_what_is_ours_is_removed(machine: RemoteMachine, agent: Agent, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("somebody's")
    await agent.put("disk/a/b", b"x")
    (machine.root / "disk" / "link").symlink_to(outside)
    await agent.remove("disk")
    await agent.remove("disk")
    assert list(machine.root.iterdir()) == []
    for path in (str(outside), "../outside", ".", ""):
        with pytest.raises(LabError, match="does not lie below"):
            await agent.remove(path)
    assert outside.exists()


async def test_facts(agent: Agent) -> None:
    facts = await agent.facts()
    assert facts.python == ".".join(map(str, sys.version_info[:3]))
    assert abs(facts.now - time.time()) < 60
    assert facts.free > 0
    assert set(facts.tools) <= {"nft", "tc", "ss", "strace"}


async def test_what_runs_ends_with_the_connection(machine: RemoteMachine) -> None:
    async with agent_of(machine) as agent:
        run = await agent.run(["sh", "-c", "echo $$; exec sleep 300"], ENVIRONMENT, "/")
        pid = int((await anext(aiter(run))).text)
    await eventually(lambda: gone(pid), what="its end")
    with pytest.raises(LabError, match="core-02"):
        await run.wait()
    with pytest.raises(LabError, match="core-02"):
        await agent.exec("true")


async def test_what_runs_ends_even_if_the_agent_is_killed(machine: RemoteMachine, agent: Agent) -> None:
    if shutil.which("setpriv") is None:
        unavailable("needs setpriv")
    run = await agent.run(["sh", "-c", "echo $$; exec sleep 300"], ENVIRONMENT, "/")
    pid = int((await anext(aiter(run))).text)
    machine.agents[-1].kill()
    await eventually(lambda: gone(pid), what="its end")
    with pytest.raises(LabError, match="the agent on core-02 ended"):
        await run.wait()


# Units: a stand-in for systemctl says what systemd would; processes and files are real.


@pytest.fixture
def program() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "300"]) as process:
        yield process
        process.kill()


def unit_file(machine: RemoteMachine, name: str, spec: str = "") -> None:
    text = f"[Service]\nExecStart=/bin/true\n[X-Rwk]\nSpec={spec}\n" if spec else "[Service]\nSpec=no\n"
    (machine.units / f"rwk-{name}.service").write_text(text)


def systemd_says(machine: RemoteMachine, **units: dict[str, object]) -> None:
    (machine.bin / "units.json").write_text(json.dumps({f"rwk-{name}.service": shown for name, shown in units.items()}))


def running(pid: int) -> dict[str, object]:
    began = int((time.monotonic() - 5) * 1e6)
    return {"ActiveState": "active", "MainPID": pid, "Result": "success", "ExecMainStartTimestampMonotonic": began}


async def test_units_are_those_with_a_spec(
    machine: RemoteMachine, agent: Agent, program: subprocess.Popen[bytes]
) -> None:
    unit_file(machine, "etcd", '{"argv":["etcd"]}')
    unit_file(machine, "kubelet", "{}")
    unit_file(machine, "balance")
    wants = machine.units / "multi-user.target.wants"
    wants.mkdir()
    (wants / "rwk-etcd.service").symlink_to("anywhere")
    systemd_says(machine, etcd=running(program.pid), kubelet={"ActiveState": "inactive", "Result": "success"})
    units = (await agent.units()).units
    assert sorted(units) == ["etcd", "kubelet"]
    etcd, kubelet = units["etcd"], units["kubelet"]
    assert (etcd.spec, etcd.state, etcd.pid, etcd.enabled, etcd.exit) == (
        '{"argv":["etcd"]}', "running", program.pid, True, ""
    )  # fmt: skip
    assert abs(time.time() - 5 - etcd.since) < 3
    assert (kubelet.state, kubelet.enabled, kubelet.since, kubelet.exit) == ("stopped", False, 0, "")
    unit_file(machine, "etcd", "changed")
    (machine.units / "rwk-kubelet.service").unlink()
    units = (await agent.units()).units
    assert {name: unit.spec for name, unit in units.items()} == {"etcd": "changed"}


async def test_where_nothing_changes_systemd_is_left_alone(
    machine: RemoteMachine, agent: Agent, program: subprocess.Popen[bytes]
) -> None:
    unit_file(machine, "etcd", "{}")
    systemd_says(machine, etcd=running(program.pid))
    begun = time.monotonic()
    first = await agent.units()
    for _ in range(50):
        assert await agent.units() is first
    assert len(machine.asked()) <= 1 + (time.monotonic() - begun) / 1.0  # once a second where it has no cgroups
    await agent.exec("systemctl", "anything")
    before = len(machine.asked())
    await agent.units()
    assert len(machine.asked()) == before + 1
    await agent.units(fresh=True)
    assert len(machine.asked()) == before + 2


async def test_a_unit_that_still_waits_to_begin_does_not_run(
    machine: RemoteMachine, agent: Agent, program: subprocess.Popen[bytes]
) -> None:
    unit_file(machine, "etcd", "{}")
    systemd_says(machine, etcd=running(0) | {"ActiveState": "activating"})
    assert (await agent.units()).units["etcd"].state == "stopped"
    systemd_says(machine, etcd=running(program.pid))
    unit = (await agent.units(fresh=True)).units["etcd"]
    assert (unit.state, unit.pid) == ("running", program.pid)


async def test_a_frozen_unit_is_seen_and_when(
    machine: RemoteMachine, agent: Agent, program: subprocess.Popen[bytes]
) -> None:
    unit_file(machine, "etcd", "{}")
    systemd_says(machine, etcd=running(program.pid))
    before = (await agent.units()).units["etcd"].since
    program.send_signal(signal.SIGSTOP)

    async def is_paused() -> bool:
        return (await agent.units()).units["etcd"].state == "paused"

    await eventually(is_paused, what="the pause")
    unit = (await agent.units()).units["etcd"]
    assert abs(unit.since - time.time()) < 3 and unit.since > before + 1
    assert unit.pid == program.pid
    assert (await agent.units(held={"etcd"})).units["etcd"].state == "running"  # what a tracer holds back looks frozen
    assert (await agent.units(told={"etcd"}, held={"etcd"})).units["etcd"].state == "paused"
    program.send_signal(signal.SIGCONT)
    await eventually(lambda: _not(is_paused()), what="its going on")


async def _not(answer: object) -> bool:
    return not await answer  # type: ignore[misc]


async def test_a_main_process_that_goes_is_noticed(
    machine: RemoteMachine, agent: Agent, program: subprocess.Popen[bytes]
) -> None:
    unit_file(machine, "etcd", "{}")
    systemd_says(machine, etcd=running(program.pid))
    assert (await agent.units()).units["etcd"].state == "running"
    systemd_says(machine, etcd={"ActiveState": "inactive", "Result": "success"})  # it has forgotten the rest
    program.kill()
    program.wait()
    unit = (await agent.units()).units["etcd"]
    assert (unit.state, unit.exit, unit.pid) == ("stopped", "ended when asked to", 0)
    assert abs(unit.since - time.time()) < 2


EXEC = "systemd can't execute the program"
ENDS = [
    # code, status, asked, active, result → state, exit
    (1, 0, True, "inactive", "success", "stopped", "ended when asked to"),
    (2, 15, True, "inactive", "success", "stopped", "ended when asked to"),
    (1, 143, True, "failed", "exit-code", "stopped", "ended when asked to"),
    (1, 0, False, "inactive", "success", "stopped", "exit code 0"),
    (2, 15, False, "inactive", "success", "stopped", "killed by SIGTERM"),
    (1, 3, False, "failed", "exit-code", "failed", "exit code 3"),
    (1, 1, True, "failed", "exit-code", "stopped", "exit code 1"),
    (2, 9, False, "failed", "signal", "failed", "killed by SIGKILL"),
    (2, 9, True, "failed", "timeout", "stopped", "killed by SIGKILL"),
    (2, 9, False, "failed", "oom-kill", "failed", "killed by SIGKILL, out of memory"),
    (3, 6, False, "failed", "core-dump", "failed", "killed by SIGABRT"),
    (1, 203, False, "failed", "exit-code", "failed", f"could not start: {EXEC} (exit code 203)"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "status", "asked", "active", "result", "state", "exit_words"), ENDS)
async def test_how_a_unit_ended_in_words(
    machine: RemoteMachine,
    agent: Agent,
    code: int,
    status: int,
    asked: bool,
    active: str,
    result: str,
    state: str,
    exit_words: str,
) -> None:
    ended = int((time.monotonic() - 3) * 1e6)
    at = time.time() - 3
    shown: dict[str, object] = {
        "ActiveState": active,
        "MainPID": 0,
        "Result": result,
        "ExecMainCode": code,
        "ExecMainStatus": status,
        "ExecMainStartTimestampMonotonic": ended - 9_000_000,
        "ExecMainExitTimestampMonotonic": ended,
        "ActiveExitTimestampMonotonic": ended - 1000 if asked else ended + 1000,
    }
    unit_file(machine, "etcd", "{}")
    systemd_says(machine, etcd=shown)
    unit = (await agent.units()).units["etcd"]
    assert (unit.state, unit.exit, unit.active) == (state, exit_words, active)
    assert abs(unit.since - at) < 3


async def test_a_systemctl_that_fails_is_quoted(machine: RemoteMachine, agent: Agent) -> None:
    unit_file(machine, "etcd", "{}")
    (machine.bin / "systemctl").write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2; exit 1\n")
    with pytest.raises(LabError, match="core-02 can't tell its units: systemctl show: Failed to connect to bus"):
        await agent.units()
