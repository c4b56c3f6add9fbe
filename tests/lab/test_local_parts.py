"""The parts of the local lab one by one: addresses, output files, who dialled, what a person would type."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest
from support.lab import eventually

import rwk_tui.cluster
from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.host import procs
from rwk_tui.lab.host.address import BALANCED, Address
from rwk_tui.lab.host.process import in_words
from rwk_tui.lab.host.show import WIDTH, run, signal_groups, start_unit
from rwk_tui.lab.local import who
from rwk_tui.lab.local.addresses import USUAL_PORTS, LoopbackPlan, choose_plan
from rwk_tui.lab.local.output import Output
from rwk_tui.lab.protocol import LabError, UnitSpec
from rwk_tui.settings import Settings


def _known_ports() -> set[int]:
    """Every port that something of ours listens on, as the modules that say so have it."""
    ports = {*BALANCED, *BALANCED.values(), *USUAL_PORTS, 6443, 6444, 10250, 10257, 10259}
    for module in pkgutil.iter_modules(rwk_tui.cluster.__path__, "rwk_tui.cluster."):
        names = vars(importlib.import_module(module.name))
        ports |= {value for name, value in names.items() if name.endswith("PORT") and isinstance(value, int)}
    return ports


def test_loopback_addresses() -> None:
    plan = LoopbackPlan(8)
    assert str(plan.front("core-01", 2379)) == "127.0.8.101:2379"
    assert str(plan.localhost("core-02", 2379)) == "127.1.8.102:2379"
    assert str(plan.inside("core-03", 2379)) == "127.2.8.103:2379"
    assert str(plan.desk(6443)) == "127.0.8.100:6443"


def test_ports_keep_their_last_digits_and_never_meet(tmp_path: Path) -> None:
    plan = choose_plan(Settings(state=tmp_path, engine_cache=tmp_path, addresses="ports"))
    assert str(plan.front("core-01", 2379)) == "127.0.0.1:21379"
    assert str(plan.front("core-02", 2379)) == "127.0.0.1:22379"
    faces = [
        face(machine, port)
        for face in (plan.front, plan.inside, plan.localhost)
        for machine in MACHINES
        for port in sorted(_known_ports())
    ]
    faces += [plan.desk(port) for port in BALANCED]
    assert str(plan.desk(6443)) == "127.0.0.1:30443"
    assert len(set(faces)) == len(faces)
    assert max(address.port for address in faces) < 32768
    with pytest.raises(LabError, match="2379 and 3379"):
        plan.front("core-01", 3379)
    assert str(plan.front("core-01", 12379)) == "127.0.0.1:21779", "a second etcd has a place of its own"


@pytest.mark.parametrize(
    "wrong", [{"subnet": 256, "addresses": "loopback"}, {"addresses": "ports", "base_port": 55537}, {"addresses": "x"}]
)
def test_plans_that_can_not_work(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(LabError):
        choose_plan(Settings(state=tmp_path, engine_cache=tmp_path, **wrong))  # type: ignore[arg-type]


async def test_output_rotates_under_a_program_that_holds_it_open(tmp_path: Path) -> None:
    output = Output(tmp_path / "log" / "x.log")
    descriptor = output.open()  # what a program would hold
    seen: list[str] = []

    async def follow() -> None:
        async for line in output.lines(10, follow=True):
            seen.append(line)  # noqa: PERF401 - it never ends

    async def has_seen(count: int) -> None:
        async def seen_so_many() -> bool:
            return len(seen) >= count

        await eventually(seen_so_many, 5, f"{count} lines")

    following = asyncio.create_task(follow())
    try:
        for number in range(90):
            os.write(descriptor, f"line {number}\n".encode())
            if number in (5, 40, 70):
                await has_seen(number + 1)
            if number in (29, 59):
                await output.rotate(limit=10)
                assert output.size() == 0
        await has_seen(90)
        assert seen == [f"line {number}" for number in range(90)]
        assert [line async for line in output.lines(40, follow=False)] == [f"line {n}" for n in range(50, 90)]
        await output.rotate(limit=10_000)
        assert output.size() > 0
    finally:
        following.cancel()
        os.close(descriptor)


DIAL_AND_WAIT = """
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
time.sleep(1000)
"""
Finder = Callable[[Address, Address, Mapping[int, str]], str]


@pytest.mark.process
@pytest.mark.parametrize("find", [who.find_portable, *([who._find_linux] if procs.LINUX else [])])
@pytest.mark.parametrize("shell", [False, True])
def test_who_dialled(find: Finder, shell: bool) -> None:
    """Found for a session's leader and for its child; nobody for a connection of the presenter."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        argv = [sys.executable, "-S", "-c", DIAL_AND_WAIT, str(port)]
        dialler = subprocess.Popen(["sh", "-c", '"$@"; true', "sh", *argv] if shell else argv, start_new_session=True)
        try:
            connection, peer = server.accept()
            with connection:
                there = Address("127.0.0.1", port)
                assert find(Address(*peer), there, {dialler.pid: "core-02"}) == "core-02"
                assert find(Address(*peer), there, {1: "core-01"}) == ""
                with socket.create_connection(("127.0.0.1", port)) as mine:
                    assert find(Address(*mine.getsockname()), there, {dialler.pid: "core-02"}) == ""
        finally:
            for process in psutil.Process(dialler.pid).children():
                process.kill()
            dialler.kill()
            dialler.wait()


@pytest.mark.process
@pytest.mark.skipif(not procs.LINUX, reason="only Linux answers these questions")
def test_both_ways_to_a_sockets_inode() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as mine:
        here, there = Address(*mine.getsockname()), Address(*mine.getpeername())
        inode = os.fstat(mine.fileno()).st_ino
        assert who.inode_by_question(here, there) == inode
        assert who.inode_by_table(here, there) == inode
    nowhere = Address("127.0.0.1", 1)
    assert who.inode_by_question(nowhere, there) == who.inode_by_table(nowhere, there) == 0


def test_what_a_person_would_type() -> None:
    spec = UnitSpec("etcd", ("etcd", "--x", "a b"), environment=(("ETCD_NAME", "core-01"), ("WORDS", "it's")))
    assert start_unit(spec, "/log") == """env ETCD_NAME=core-01 WORDS='it'"'"'s' etcd --x 'a b' >>/log 2>&1 &"""
    many = UnitSpec("etcd", ("etcd",), environment=tuple((f"ETCD_{n}", "x" * 30) for n in range(5)))
    lines = start_unit(many, "/log").splitlines()
    assert len(lines) == 7
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert max(map(len, lines)) <= WIDTH
    assert signal_groups("KILL", [7, 9], "") == "kill -KILL -- -7 -9"
    assert signal_groups("KILL", [], "nothing runs") == "# nothing runs"
    assert run(["etcdctl", "get", "a b"], {"E": "1"}, "core-02") == "env E=1 etcdctl get 'a b'  # on core-02"


def test_how_a_program_ended_in_words() -> None:
    assert [in_words(code) for code in (0, 2, -9, -15)] == [
        "exit code 0",
        "exit code 2",
        "killed by SIGKILL",
        "killed by SIGTERM",
    ]
