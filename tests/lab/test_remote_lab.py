"""A lab over SSH whose machines nobody reaches: what is believed of them, and who switches them when."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support.lab import eventually
from support.switch_fake import NAMES, FakeSwitch

from rwk_tui.board.rows import Power
from rwk_tui.cluster.kubernetes import pod_network
from rwk_tui.lab.host.disk import write_json
from rwk_tui.lab.protocol import LabError, MachineDown, UnitSpec
from rwk_tui.lab.remote import host as hosts
from rwk_tui.lab.remote.lab import RemoteLab
from rwk_tui.settings import Settings, Timeouts

pytestmark = pytest.mark.process


@pytest.fixture
async def switch(tmp_path: Path) -> FakeSwitch:
    import asyncssh

    key = tmp_path / "key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(key))
    return FakeSwitch(key)


Opener = Callable[..., RemoteLab]


@pytest.fixture
async def opened(tmp_path: Path, subnet: int, switch: FakeSwitch) -> AsyncIterator[Opener]:
    """Opens the lab of this test, with these powers of core-01, core-02 and core-03 on disk."""
    labs: list[RemoteLab] = []

    def open_it(*powers: Power) -> RemoteLab:
        state = tmp_path / "state"
        if powers:
            entries = {name: {"power": power, "since": 1.0} for name, power in zip(NAMES, powers, strict=True)}
            write_json(state / "lab" / "machines.json", entries)
            (state / "lab" / ".rwk-lab").touch()
        settings = Settings(
            state=state, engine_cache=state, subnet=subnet, timeouts=Timeouts(machine_start=0.5, stop=1.0)
        )
        labs.append(RemoteLab(settings, {}, switch, backend="fake", slack=1.0))
        return labs[-1]

    yield open_it
    for lab in labs:
        await lab.leave()


async def power(lab: RemoteLab, machine: str = "core-01") -> Power:
    return (await lab.machines[machine].status()).power


# -- what is left, in words


async def test_a_fresh_directory_has_nothing_left(opened: Opener) -> None:
    assert await opened().left_behind() == ""


async def test_machines_that_run_on_are_left_behind_with_their_units(
    opened: Opener, switch: FakeSwitch, tmp_path: Path
) -> None:
    switch.made = dict.fromkeys(NAMES, "halted")
    write_json(tmp_path / "state" / "lab" / "units.json", {"core-01": ["etcd", "kubelet"]})
    lab = opened("up", "up", "halted")
    assert await lab.left_behind() == "core-01 (etcd, kubelet) and core-02 up, core-03 halted"


async def test_what_vagrant_knows_of_and_we_do_not_is_left_behind(opened: Opener, switch: FakeSwitch) -> None:
    switch.made = {"core-02": "halted"}
    assert await opened().left_behind() == "core-02 halted"


async def test_machines_that_are_gone_from_the_backend_are_no_more_left(opened: Opener) -> None:
    assert await opened("up", "up", "up").left_behind() == ""


async def test_hosts_that_are_not_ours_are_left_as_we_left_them(opened: Opener, switch: FakeSwitch) -> None:
    switch.owns_power = False
    assert await opened("up", "halted", "gone").left_behind() == "core-01 up, core-02 halted"


# -- what is believed


async def test_one_that_does_not_answer_is_told_at_once(opened: Opener) -> None:
    lab = opened("up", "up", "up")
    began = time.monotonic()
    status = await lab.machines["core-01"].status()
    assert time.monotonic() - began < 1
    assert (status.power, status.seen, bool(status.why)) == ("up", False, True)


async def test_one_that_is_gone_behind_our_back_is_seen_so(
    opened: Opener, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "_SILENT", 0.1)
    lab = opened("up", "up", "up")
    changes = 0

    def changed() -> None:
        nonlocal changes
        changes += 1

    lab.on_change = changed
    switch.truth |= {"core-01": "gone", "core-02": "halted", "core-03": None}

    async def known() -> bool:
        return [await power(lab, name) for name in NAMES] == ["gone", "halted", "up"]

    await eventually(known, 3)
    assert changes >= 2
    assert (await lab.machines["core-01"].status()).seen, "that is known for sure"
    assert not (await lab.machines["core-03"].status()).seen
    for name in NAMES:
        assert switch.asked.count(f"look {name}") == 1, "it is asked seldom: that is slow"


async def test_nobody_asks_the_backend_about_one_that_was_halted(
    opened: Opener, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_SILENT", "_LOOK_EVERY", "_LOOK_SELDOM"):
        monkeypatch.setattr(hosts, name, 0.0)
    lab = opened("halted", "off", "gone")
    for _ in range(3):
        assert [await power(lab, name) for name in NAMES] == ["halted", "off", "gone"]
        await asyncio.sleep(0.01)
    assert switch.asked == []


async def test_nothing_runs_on_one_that_is_not_up(opened: Opener) -> None:
    lab = opened("halted", "off", "gone")
    spec = UnitSpec("nap", ("sleep", "1"))
    for machine in lab.machines.values():
        unit = machine.unit("nap")
        for attempt in (
            machine.run(["true"]),
            machine.put("x", b""),
            machine.get("x"),
            machine.set_profile({}),
            unit.configure(spec),
            unit.start(),
            unit.stop(),
            unit.restart(),
            unit.kill(),
            unit.pause(),
            unit.slow_disk(10),
        ):
            with pytest.raises(MachineDown):
                await attempt
        await unit.slow_disk(0)
        assert (await unit.status()).state == "stopped"


async def test_who_does_not_answer_at_first_is_asked_again(
    opened: Opener, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "_CONTACT_WITHIN", 2.0)
    asked = 0

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    login = await switch.login("core-01")
    async with await asyncio.start_server(hang_up, login.host, login.port):
        with pytest.raises(MachineDown, match="no contact with core-01 within 2 s: "):
            await opened("up", "up", "up").machines["core-01"].run(["true"])
    assert asked > 1


# -- who switches, and when


async def test_a_start_without_an_answer_says_so_and_asks_what_is_true(opened: Opener, switch: FakeSwitch) -> None:
    switch.hang.set()
    switch.truth["core-01"] = "halted"
    lab = opened("halted", "halted", "halted")
    with pytest.raises(LabError, match=r"no contact with core-01 within 0\.5 s: .*refuses connections"):
        await lab.machines["core-01"].start()

    async def known() -> bool:
        return await power(lab) == "halted"

    await eventually(known, 3)


async def test_a_start_that_is_cancelled_leaves_what_is_true(opened: Opener, switch: FakeSwitch) -> None:
    lab = opened("halted", "halted", "halted")
    starting = asyncio.create_task(lab.machines["core-01"].start())
    await switch.begun.wait()
    assert await power(lab) == "starting"
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting

    async def known() -> bool:
        return await power(lab) == "up"

    await eventually(known, 3, what="what the backend says")


async def test_the_backend_is_asked_again_where_it_could_not_tell(
    opened: Opener, switch: FakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "_LOOK_SELDOM", 0.1)
    lab = opened("halted", "halted", "halted")
    switch.truth["core-01"] = None
    starting = asyncio.create_task(lab.machines["core-01"].start())
    await switch.begun.wait()
    starting.cancel()

    async def asked() -> bool:
        await power(lab)
        return switch.asked.count("look core-01") >= 2

    await eventually(asked, 3)
    assert await power(lab) == "off"
    switch.truth["core-01"] = "up"

    async def known() -> bool:
        return await power(lab) == "up"

    await eventually(known, 3)


async def test_what_may_run_after_a_broken_off_start_is_halted_too(opened: Opener, switch: FakeSwitch) -> None:
    switch.hang.set()
    lab = opened("off", "starting", "gone")
    await lab.down()
    assert switch.asked == ["stop core-02", "stop core-01"]
    assert [await power(lab, name) for name in NAMES] == ["halted", "halted", "gone"]


async def test_hosts_that_nobody_reaches_are_not_called_halted(opened: Opener, switch: FakeSwitch) -> None:
    switch.owns_power = False
    lab = opened("up", "halted", "gone")
    with pytest.raises(LabError, match="core-01"):
        await lab.down()
    assert [await power(lab, name) for name in NAMES] == ["up", "halted", "gone"]


async def test_one_that_was_destroyed_behind_our_back_may_have_other_keys(
    opened: Opener, switch: FakeSwitch, tmp_path: Path
) -> None:
    import asyncssh

    switch.hang.set()
    switch.made = {"core-02": "halted"}
    lab = opened("up", "halted", "halted")
    pins = tmp_path / "state" / "lab" / "known_hosts"
    lines = [
        f"{name} {asyncssh.generate_private_key('ssh-ed25519').export_public_key().decode()}"
        for name in ("core-01", "core-02")
    ]
    pins.write_text("".join(lines))
    for name in ("core-01", "core-02"):
        with pytest.raises(LabError, match="refuses connections"):
            await lab.machines[name].start()
    assert pins.read_text().endswith("first contact. A line that goes is taken anew.\n" + lines[1])


async def test_a_power_cut_waits_for_nobody(opened: Opener, switch: FakeSwitch) -> None:
    lab = opened("up", "halted", "halted")
    one = lab.machines["core-01"]
    halting = asyncio.create_task(one.stop())
    await switch.begun.wait()
    waiting = asyncio.create_task(one.start())
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await one.kill()
    assert await power(lab) == "off"
    for broken_off in (halting, waiting):
        with pytest.raises(LabError, match="its power was cut meanwhile"):
            await broken_off
    assert switch.asked[:2] == ["stop core-01", "kill core-01"]


async def test_one_thing_at_a_time_is_done_to_a_machine(opened: Opener, switch: FakeSwitch) -> None:
    lab = opened("up", "up", "up")
    one, two, _ = lab.machines.values()
    halting = [asyncio.create_task(machine.stop()) for machine in (one, one, two)]
    await switch.begun.wait()
    switch.hang.set()
    await asyncio.gather(*halting)
    assert sorted(switch.asked) == ["stop core-01", "stop core-02"], "what is halted need not be halted again"
    assert [await power(lab, name) for name in NAMES] == ["halted", "halted", "up"]


async def test_a_machine_that_was_destroyed_is_another_one_later(
    opened: Opener, tmp_path: Path, switch: FakeSwitch
) -> None:
    lab = opened("up", "up", "up")
    pins = tmp_path / "state" / "lab" / "known_hosts"
    pins.write_text("core-01 ssh-ed25519 AAAA\ncore-02 ssh-ed25519 BBBB\n")
    await lab.machines["core-01"].destroy()
    assert await power(lab) == "gone"
    assert "core-01" not in pins.read_text()
    assert "core-02" in pins.read_text()
    assert (await lab.machines["core-01"].status()).units == {}


async def test_a_host_that_is_not_ours_keeps_its_power(opened: Opener, switch: FakeSwitch) -> None:
    switch.owns_power = False
    lab = opened("up", "up", "up")
    assert lab.lacks("power cut") == "no power cut here"
    with pytest.raises(LabError, match="no power cut here"):
        await lab.machines["core-01"].kill()
    assert switch.asked == []
    assert await power(lab) == "up"


async def test_what_broke_off_on_the_way_is_not_believed(opened: Opener) -> None:
    lab = opened("starting", "stopping", "up")
    assert [await power(lab, name) for name in NAMES] == ["off", "off", "up"]


# -- the rest


async def test_addresses_and_urls(opened: Opener) -> None:
    lab = opened()
    one = lab.machines["core-01"]
    assert one.url(2379, scheme="https") == "https://127.0.0.1:2379"
    two = lab.machines["core-02"]
    assert two.listen_urls(2379, public=True) == ("http://127.0.0.1:2379", "http://127.0.0.2:2379")
    assert two.listen_urls(2381, public=False) == ("http://127.0.0.1:2381",)
    assert (two.bind(6443, public=True), two.bind(10259, public=False)) == (("127.0.0.2", 6443), ("127.0.0.1", 10259))
    assert two.any_url(6443, scheme="https") == "https://127.0.0.1:6444"
    assert two.advertised == two.address


async def test_a_machine_that_is_cut_off_takes_its_pods_along(opened: Opener) -> None:
    for machine in opened().machines.values():
        (pods,) = machine.host.also
        assert f'"subnet": "{pods}"' in pod_network.network_config(machine, "/opt/cni/bin").decode()


async def test_files_outside_of_the_disk_are_refused(opened: Opener) -> None:
    one = opened("up", "up", "up").machines["core-01"]
    for path in ("../engines/x", "/etc/passwd", "a/../../x", "/var/lib/rwk/disk2"):
        with pytest.raises(LabError, match="lies outside of core-01's disk"):
            await one.put(path, b"")


async def test_two_can_not_hold_one_lab_and_leaving_lets_go(opened: Opener, switch: FakeSwitch) -> None:
    switch.hang.set()
    lab = opened()
    with pytest.raises(LabError, match="in use"):
        opened()
    before = asyncio.all_tasks()
    with contextlib.suppress(LabError):
        await lab.up()
    await lab.leave()
    assert asyncio.all_tasks() <= before, "nothing of it goes on"
    opened()


async def test_a_machine_out_of_contact_is_not_relied_on_to_keep_a_cut(opened: Opener) -> None:
    lab = opened("up", "up", "up")
    lab._links._guarding.add("core-02")  # as after a cut that it enforces
    lab.machines["core-02"].host.contact.keep()

    async def relied_on_no_more() -> bool:
        return "core-02" not in lab._links._guarding

    await eventually(relied_on_no_more, what="the others to enforce all of it")
