"""What only the local lab's balancers can get wrong: turns, taken addresses, stuck programs, moves, what stays open."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support.lab import BALANCED_PORT, PROGRAMS, dial_at, eventually, hears, local_settings, serve, talk_at

from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.protocol import LabError

pytestmark = pytest.mark.process


@pytest.fixture
async def lab(tmp_path: Path, subnet: int) -> AsyncIterator[LocalLab]:
    opened = LocalLab(local_settings(tmp_path / "state", subnet=subnet), PROGRAMS)
    try:
        await opened.up()
        yield opened
    finally:
        await opened.down()


async def serve_all(lab: LocalLab) -> None:
    await asyncio.gather(*(serve(machine, BALANCED_PORT, bound=True) for machine in lab.machines.values()))


def own(lab: LocalLab, machine: str) -> str:
    return lab.machines[machine].any_url(BALANCED_PORT)


def place_of(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


def is_open(place: tuple[str, int]) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(place, 2):
        return True
    return False


async def test_dials_take_turns_in_the_order_given(lab: LocalLab) -> None:
    await serve_all(lab)
    one = lab.machines["core-01"]
    for ready in (["core-03", "core-01"], ["core-02", "core-03", "core-01"], []):
        lab.steer(BALANCED_PORT, ready)
        found = [(await dial_at(one, own(lab, "core-01"))).removesuffix(" hello") for _ in range(6)]
        turns = ready or sorted(lab.machines)
        assert found == [turns[n % len(turns)] for n in range(6)]


async def test_saying_the_same_again_changes_nothing(lab: LocalLab) -> None:
    """A machine that is said to be ready but refuses dials must not cost the others their clients at each saying."""
    await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-02", "core-03"])
    for name in ("core-02", "core-03"):
        await lab.machines[name].unit("talk").kill()
    run, lines = await talk_at(lab.machines["core-01"], own(lab, "core-01"))
    assert await hears(lines) == "core-01 0"
    await serve(lab.machines["core-02"], BALANCED_PORT, bound=True)
    for ready in (["core-02", "core-03"], ["core-03", "core-02"], ["core-02", "core-02", "core-03"]):
        lab.steer(BALANCED_PORT, ready)
        assert (await hears(lines)).startswith("core-01 ")
    await run.kill()


async def test_who_could_reach_no_ready_machine_goes_there_when_the_link_heals(lab: LocalLab) -> None:
    await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-02"])
    await lab.link("core-01", "core-02").cut()
    run, lines = await talk_at(lab.machines["core-01"], own(lab, "core-01"))
    first = await hears(lines)
    assert first in ("core-01 0", "core-03 0")
    await lab.link("core-02", "core-03").cut()
    assert (await hears(lines)).startswith(first[:-1]), "another link is none of its business"
    await lab.link("core-01", "core-02").heal()
    assert await run.wait() == 0
    assert await dial_at(lab.machines["core-01"], own(lab, "core-01")) == "core-02 hello"


@contextlib.contextmanager
def full(place: tuple[str, int]) -> Iterator[None]:
    """Dial a frozen program until it takes no more."""
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            mine = stack.enter_context(socket.socket())
            mine.setblocking(False)
            mine.connect_ex(place)
        yield


async def test_a_program_that_takes_no_dials_is_passed_over(lab: LocalLab) -> None:
    await serve_all(lab)
    one = lab.machines["core-01"]
    lab.steer(BALANCED_PORT, ["core-03"])
    await lab.machines["core-03"].unit("talk").pause()
    with full(lab.machines["core-03"].bind(BALANCED_PORT, public=True)):
        assert await dial_at(one, own(lab, "core-01")) in ("core-01 hello", "core-02 hello")


async def test_a_machines_balancer_is_open_while_it_is_up_and_the_presenters_while_the_lab_is(
    tmp_path: Path, subnet: int
) -> None:
    lab = LocalLab(local_settings(tmp_path / "state", subnet=subnet), PROGRAMS)
    desk, mine = lab.any_address(BALANCED_PORT), place_of(own(lab, "core-01"))
    machine = lab.machines["core-01"]
    assert not is_open(desk)
    assert not is_open(mine)
    try:
        await lab.up()
        for end in (machine.kill, machine.stop, machine.destroy):
            await machine.start()
            assert is_open(mine)
            await end()
            assert not is_open(mine)
        assert is_open(desk)
        await lab.reset()
        assert is_open(mine)
    finally:
        await lab.down()
    assert not is_open(desk)
    assert not is_open(mine)


async def test_what_was_dialled_at_a_machine_ends_with_its_power(lab: LocalLab) -> None:
    await serve_all(lab)
    lab.steer(BALANCED_PORT, ["core-02"])
    reader, writer = await asyncio.open_connection(*place_of(own(lab, "core-01")))
    writer.write(b"hello\n")
    assert await reader.readline() == b"core-02 hello\n"
    await lab.machines["core-01"].kill()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 5)
    writer.close()


@pytest.mark.parametrize("plan", ["ports", "loopback"])
async def test_taken_addresses_are_named_before_anything_starts(tmp_path: Path, subnet: int, plan: str) -> None:
    lab = LocalLab(local_settings(tmp_path / "state", plan, subnet=subnet), {})
    way_out = "base_port" if plan == "ports" else "subnet"
    try:
        for host, port in (lab.any_address(BALANCED_PORT), place_of(own(lab, "core-02"))):
            words = rf"^{re.escape(host)}:{port} is taken by .*, pid {os.getpid()}; end it, or set {way_out}[^\n]*$"
            with socket.create_server((host, port)), pytest.raises(LabError, match=words):
                await lab.up()
            assert [(await machine.status()).power for machine in lab.machines.values()] == ["gone"] * 3
        await lab.up()
        machine = lab.machines["core-02"]
        await machine.stop()
        with socket.create_server(place_of(own(lab, "core-02"))), pytest.raises(LabError, match="is taken by"):
            await machine.start()
        assert (await machine.status()).power == "off"
        await machine.start()
    finally:
        await lab.down()


async def test_a_start_that_is_cancelled_leaves_no_balancer_open(lab: LocalLab) -> None:
    machine = lab.machines["core-01"]
    mine = place_of(own(lab, "core-01"))
    for rounds in range(12):
        await machine.kill()
        starting = asyncio.create_task(machine.start())
        for _ in range(rounds):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        up = (await machine.status()).power == "up"

        async def as_told(expected: bool = up) -> bool:
            return is_open(mine) == expected

        await eventually(as_told, 2, f"a balancer that is {'open' if up else 'closed'}")
    await machine.start()
