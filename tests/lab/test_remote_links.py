"""Links between remote machines, with real packets between network namespaces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from conformance import test_lab_balance, test_lab_links, test_lab_shaky_links
from support.lab import SERVER, dial, dial_at, eventually, hears, serve, talk, talk_at
from support.remote_net import NetLab, NetMachine, as_lab, net_lab

from rwk_tui.lab.protocol import Lab, LabError, Machine, UnitSpec
from rwk_tui.lab.remote.deadman import heal

pytestmark = pytest.mark.process

CUTS = (
    test_lab_links.test_machines_reach_each_other_and_themselves,
    test_lab_links.test_a_paused_unit_is_silent_not_refusing,
    test_lab_links.test_a_cut_link_lets_nothing_new_through,
    test_lab_links.test_cutting_both_directions_closes_what_is_open,
    test_lab_links.test_a_one_way_cut_holds_bytes_back_and_loses_none,
    test_lab_links.test_the_other_way_round_nothing_arrives,
    test_lab_links.test_there_are_six_links,
    test_lab_shaky_links.test_a_jitter_that_is_no_time_or_more_than_the_delay_is_refused,
    test_lab_shaky_links.test_who_serves_notices_a_reset_too,
    test_lab_shaky_links.test_a_machine_that_is_mute_hears_and_one_that_is_deaf_speaks,
)
RESET = test_lab_shaky_links.test_a_reset_breaks_what_is_open_between_two_whoever_dialled
BALANCE = (
    test_lab_balance.test_a_unit_with_one_address_keeps_it_over_a_restart_of_its_machine,
    test_lab_balance.test_whoever_listens_serves_all,
    test_lab_balance.test_connections_go_to_machines_that_are_ready,
    test_lab_balance.test_one_that_is_ready_but_gone_costs_nobody_an_answer,
    test_lab_balance.test_who_is_not_ready_any_more_loses_its_connections_and_others_keep_theirs,
    test_lab_balance.test_connections_end_with_the_unit_that_serves_them,
    test_lab_balance.test_cutting_both_directions_closes_what_went_between_the_two,
    test_lab_balance.test_a_machine_that_comes_back_dials_and_serves_again,
)
OPEN_WAYS = test_lab_balance.test_a_machine_finds_only_those_to_which_its_links_are_open


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[NetLab]:
    async with net_lab(tmp_path / "net", rearm_every=0.2) as lab:
        yield lab


@pytest.fixture
def lab(net: NetLab) -> Lab:
    return as_lab(net)


def pair(lab: Lab) -> tuple[Machine, Machine]:
    return lab.machines["core-01"], lab.machines["core-02"]


def rules(machine: NetMachine) -> Callable[[], Awaitable[str]]:
    async def listed() -> str:
        return (await machine.exec("nft", "list", "ruleset")).out

    return listed


@pytest.mark.parametrize("promise", [*CUTS, *BALANCE], ids=lambda promise: promise.__name__)
async def test_what_every_lab_promises(lab: Lab, promise: Callable[[Lab], Awaitable[None]]) -> None:
    await promise(lab)


@pytest.mark.parametrize(("source", "target"), [("core-01", "core-02"), ("core-02", "core-01")])
async def test_a_reset_breaks_what_is_open(lab: Lab, source: str, target: str) -> None:
    await RESET(lab, source, target)


@pytest.mark.parametrize("way", ["there", "back"])
async def test_a_machine_finds_only_those_to_which_its_links_are_open(lab: Lab, way: str) -> None:
    await OPEN_WAYS(lab, way)


async def test_the_direction_that_is_open_goes_on_for_as_long_as_the_other_is_cut(lab: Lab) -> None:
    """What is said there is acknowledged, though who acknowledges has bytes to send that do not get out."""
    one, two = pair(lab)
    await serve(one)
    await lab.link("core-01", "core-02").cut()
    run, _ = await talk(two, one)

    async def much_arrives() -> bool:
        return len([line async for line in one.unit("talk").log(lines=10_000)]) > 60

    await eventually(much_arrives)  # more than goes without an acknowledgement
    await run.kill()


async def test_cutting_both_directions_closes_what_says_nothing_too(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one)
    run = await two.run(["python3", "-S", "-c", WAIT, one.address])
    lines = aiter(run)
    assert await hears(lines) == "connected"
    await lab.link("core-01", "core-02").cut()
    await lab.link("core-02", "core-01").cut()
    assert await hears(lines) in ("broken", "closed")
    left = await net.machines["core-01"].exec("ss", "-Htn", "state", "established")
    assert left.out == ""


WAIT = """
import socket, sys
s = socket.create_connection((sys.argv[1], 8000), 5)
s.settimeout(None)
print("connected", flush=True)
try:
    s.recv(1)
    print("closed")
except OSError:
    print("broken")
"""


@pytest.mark.parametrize("cut_for", [1.0, 4.0])  # who talks waits 5 s and no longer
async def test_what_a_cut_held_back_comes_soon_after_it_heals(lab: Lab, cut_for: float) -> None:
    one, two = pair(lab)
    await serve(one)
    run, lines = await talk(two, one)
    assert await hears(lines) == "core-01 0"
    link = lab.link("core-01", "core-02")
    await link.cut()
    await asyncio.sleep(cut_for)  # the longer it lasts the longer TCP would wait before it tries again
    before = time.monotonic()
    await link.heal()
    heard = [int((await hears(lines)).split()[1]) for _ in range(20)]
    assert time.monotonic() - before < 5
    assert heard == list(range(heard[0], heard[0] + 20))
    await run.kill()


async def test_ssh_between_machines_is_never_touched(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one, 22)
    run, lines = await talk_at(two, one.url(22))
    assert await hears(lines) == "core-01 0"
    for link in net.links:
        await link.lose(1)
        await link.cut()
    await net.link("core-01", "core-02").reset()
    for _ in range(5):
        assert (await hears(lines)).startswith("core-01 ")
    assert await dial(two, one, 22) == "core-01 hello"
    await run.kill()


async def test_who_hears_but_is_mute_refuses_what_it_does_not_serve(lab: Lab) -> None:
    one, two = pair(lab)
    await lab.link("core-01", "core-02").cut()
    assert await dial(two, one) == "refused", "that answers a dial, as an acceptance would"
    assert await dial(one, two) == "silent"


async def test_packets_are_lost_and_what_is_sent_again_arrives(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one)
    link = net.link("core-01", "core-02")
    await link.lose(0.2)
    assert link.loss == 0.2
    run, lines = await talk(two, one)
    heard = [await hears(lines, 20) for _ in range(100)]
    assert heard == [f"core-01 {number}" for number in range(100)]
    sent = await net.machines["core-01"].exec("ss", "-Hti", "dst", "10.77.0.102", "sport", "=", ":8000")
    assert "retrans:" in sent.out, sent.out
    await link.heal()
    assert link.loss == 0
    await run.kill()
    for share in (-0.1, 1.1):
        with pytest.raises(LabError, match="is not within 0 and 1"):
            await link.lose(share)


async def test_both_machines_enforce_a_cut_so_that_one_that_restarts_does_not_heal_it(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one)
    await lab.link("core-02", "core-01").cut()
    for name in ("core-01", "core-02"):
        machine = net.machines[name]
        await machine.exec("nft", "delete", "table", "inet", "rwk")
        assert await dial(two, one) == "silent", f"after {name} lost its rules"
        await net.network.apply(name)
        assert "table inet rwk" in await rules(machine)()


async def test_all_that_is_cut_is_held_at_the_source_while_nobody_knows_of_the_target(net: NetLab, lab: Lab) -> None:
    """A machine that comes back dials before anybody can tell it what it has to drop."""
    one, two = pair(lab)
    await serve(one)
    await lab.link("core-01", "core-02").cut()
    listed = rules(net.machines["core-01"])
    assert "jump hold" not in await listed()
    net.network.lost("core-02")

    async def held() -> bool:
        return "jump hold" in await listed()

    await eventually(held)
    await net.machines["core-02"].exec("nft", "delete", "table", "inet", "rwk")
    assert await dial(two, one) == "silent"
    await net.network.apply("core-02")
    assert not await held()
    assert await dial(two, one) == "silent"


async def test_a_machine_that_was_down_is_cut_when_it_is_back(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one)
    await serve(two)
    await two.kill()
    for link in (lab.link("core-01", "core-02"), lab.link("core-02", "core-01")):
        await link.cut()
    await two.start()
    assert "table inet rwk" in await rules(net.machines["core-02"])()
    assert await dial(two, one) == "silent"
    assert net.network.wanted("core-02") and not net.network.wanted("core-03")


async def test_nothing_is_left_when_nothing_is_wanted(net: NetLab) -> None:
    for link in net.links:
        await link.cut()
    for machine in net.machines.values():
        assert machine.timers and "table inet rwk" in await rules(machine)()
    await net.network.heal_all()
    for machine in net.machines.values():
        assert not machine.timers and await rules(machine)() == ""
    assert not any(link.is_cut for link in net.links)


async def test_what_an_earlier_daemon_left_goes_at_the_first_contact(net: NetLab) -> None:
    await net.link("core-01", "core-02").cut()
    await net.network.close()
    net.network = net.new_links()
    for machine in net.machines.values():
        await net.network.apply(machine.name)
        assert not machine.timers and await rules(machine)() == ""


async def test_a_machine_heals_by_itself_when_nobody_says_any_more_what_is_wanted(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one)
    await lab.link("core-02", "core-01").cut()
    await net.network.close()
    for name in ("core-01", "core-02"):
        machine = net.machines[name]
        (action,) = machine.timers.values()
        assert action == heal(())
        await machine.exec(*action)
        assert await rules(machine)() == ""
    assert await dial(two, one) == "core-01 hello"


async def test_it_is_told_again_and_again_and_enforced_anew_where_it_has_healed(net: NetLab) -> None:
    machine = net.machines["core-01"]
    await net.link("core-01", "core-02").cut()
    (name,) = machine.timers

    async def told_again() -> bool:
        return machine.executed.count(("systemctl", "restart", f"{name}.timer")) > 2

    await eventually(told_again)
    assert list(machine.timers) == [name]
    await machine.exec(*machine.timers.pop(name))

    async def enforced() -> bool:
        return bool(machine.timers) and "table inet rwk" in await rules(machine)()

    await eventually(enforced)
    await net.network.heal_all()
    executed = len(machine.executed)
    await asyncio.sleep(0.6)  # three times as long as until it would be told again
    assert len(machine.executed) == executed, "what is plain costs nothing"


async def test_a_machine_that_refuses_takes_the_wish_back(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one)
    machine = net.machines["core-01"]
    machine.also = ("10.0.0.0/8", "core-01.example")
    link = net.link("core-02", "core-01")
    with pytest.raises(LabError, match="core-01.example is no IP address"):
        await link.cut()
    assert not link.is_cut and not net.network.wanted("core-01")
    machine.also = ()
    assert await dial(two, one) == "core-01 hello"


async def test_a_full_disk_keeps_no_link_cut(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one)
    link = net.link("core-02", "core-01")
    await link.cut()
    assert await dial(two, one) == "silent"
    net.machines["core-01"].full = True
    complaints: list[tuple[str, str]] = []
    net.complaints.heard_by(lambda machine, words: complaints.append((machine, words)))
    await link.heal()
    assert not link.is_cut
    assert await dial(two, one) == "core-01 hello"
    ((machine, words),) = complaints
    assert machine == "core-01" and "No space left on device" in words, "its balancer does not know yet"


async def test_a_kernel_that_can_not_delay_says_what_it_lacks(net: NetLab) -> None:
    machine = net.machines["core-01"]
    probe = await machine.exec("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
    if not probe.code:
        pytest.skip("this kernel has netem")
    link = net.link("core-01", "core-02")
    await net.link("core-02", "core-01").lose(0.5)
    with pytest.raises(LabError, match="core-01's kernel has no netem"):
        await link.delay(10)
    assert link.delay_ms == 0
    assert "numgen" in await rules(machine)(), "what was in force before still is"


async def test_a_device_that_somebody_shapes_is_left_alone(net: NetLab) -> None:
    machine = net.machines["core-01"]
    await machine.exec("tc", "qdisc", "add", "dev", "eth0", "root", "handle", "1:", "pfifo", "limit", "77")
    before = (await machine.exec("tc", "qdisc", "show", "dev", "eth0")).out
    assert "limit 77p" in before
    link = net.link("core-01", "core-02")
    with pytest.raises(LabError, match=r"core-01's eth0 has a queueing discipline of somebody's .pfifo 1:."):
        await link.delay(10)
    assert link.delay_ms == 0 and not machine.timers
    await link.cut()
    await link.heal()
    assert (await machine.exec("tc", "qdisc", "show", "dev", "eth0")).out == before


async def test_two_changes_at_once_both_hold(net: NetLab, lab: Lab) -> None:
    one, two = pair(lab)
    await serve(one)
    run, lines = await talk(two, one)
    await hears(lines)
    there, back = lab.link("core-01", "core-02"), lab.link("core-02", "core-01")
    await asyncio.gather(there.cut(), back.cut(), lab.link("core-03", "core-01").lose(0.1))
    async with asyncio.timeout(5):
        while await hears(lines) not in ("broken", "closed"):
            pass
    assert "numgen" in await rules(net.machines["core-01"])()
    await asyncio.gather(there.heal(), back.heal())
    assert await dial(two, one) == "core-01 hello"
    await run.kill()


async def test_a_pods_range_is_its_machines(net: NetLab, lab: Lab) -> None:
    """An address of a pod behind core-01, and one behind core-02 that dials it: both pass the machines' forwarding."""
    for number, name in ((1, "core-01"), (2, "core-02")):
        machine = net.machines[name]
        machine.also = (f"10.78.{number}.0/24",)
        other = net.machines["core-02" if number == 1 else "core-01"].address
        await machine.exec("ip", "addr", "add", f"10.78.{number}.1/24", "dev", "lo")
        await machine.exec("ip", "route", "add", f"10.78.{3 - number}.0/24", "via", other)
    two = lab.machines["core-02"]
    pod = net.machines["core-01"].unit("pod")
    await pod.configure(UnitSpec("pod", ("python3", "-S", "-c", SERVER, "pod", "http://10.78.1.1:80")))
    await pod.start()

    async def answers() -> bool:
        return await dial_at(two, "http://10.78.1.1:80") == "pod hello"

    await eventually(answers)
    await lab.link("core-02", "core-01").cut()
    assert await dial_at(two, "http://10.78.1.1:80") == "silent"
    await lab.link("core-02", "core-01").heal()
    assert await answers()
