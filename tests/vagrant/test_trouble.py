"""What goes wrong with real machines: one clear line each, and the lab goes on afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from support.lab import eventually, output
from support.remote_lab import KIND

from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import Lab, LabError, Machine, UnitSpec
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.machine import RemoteMachine
from rwk_tui.lab.vagrant.vagrantfile import Place
from rwk_tui.settings import Settings

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(KIND != "vagrant", reason="these are about machines that Vagrant makes"),
]
is_virtual = pytest.mark.skipif(
    os.environ.get("RWK_VAGRANT_PROVIDER") == "lxc", reason="a container shares its disk and clock with this computer"
)

SHOWN_WITHIN = 10.0
"""Seconds after which at the latest a machine that was destroyed by somebody else is shown so."""

OTHER_KEYS = "rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh; pkill -KILL -f '^sshd: '"
FILL = f"""
cd {layout.DISK}
while fallocate -l 200M full-$n 2>/dev/null; do n=x$n; done
dd if=/dev/zero of=rest bs=64k 2>/dev/null
test -e rest
"""
EMPTY = f"rm -f {layout.DISK}/full-* {layout.DISK}/rest"


@pytest.fixture
async def lab(machine_settings: Settings) -> AsyncIterator[Lab]:
    """A lab of whose machines only core-01 is known to be up, and empty."""
    opened = open_lab(machine_settings, {})
    try:
        await opened.machines["core-01"].start()
        yield opened
    finally:
        await opened.leave()


@pytest.fixture
def one(lab: Lab) -> Machine:
    return lab.machines["core-01"]


async def vagrant(settings: Settings, *words: str) -> None:
    """What somebody does with the machines behind our back."""
    place = Place.of(settings)
    process = await asyncio.create_subprocess_exec(
        "vagrant",
        *words,
        cwd=place.directory,
        env=place.environment(os.environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def does(machine: Machine, script: str) -> None:
    code, out, err = await output(await machine.run(["sh", "-c", script]))
    assert code == 0, (out, err)


async def fails(work: Awaitable[object]) -> str:
    """Why, in one line."""
    with pytest.raises(LabError) as caught:
        await work
    (line,) = str(caught.value).splitlines()
    return line


def has_power(machine: Machine, *powers: str) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return (await machine.status()).power in powers

    return holds


async def goes_on(machine: Machine) -> None:
    """It does what a machine does."""
    await machine.put("note", b"still here")
    assert await machine.get("note") == b"still here"
    assert (await machine.status()).seen


async def test_one_that_somebody_else_destroys_is_shown_so(one: Machine, machine_settings: Settings) -> None:
    await vagrant(machine_settings, "destroy", "--force", "core-01")
    ended = time.monotonic()
    while not await has_power(one, "gone")():
        assert time.monotonic() < ended + SHOWN_WITHIN, await one.status()
        await asyncio.sleep(0.1)
    assert "core-01 is destroyed" in await fails(one.run(["true"]))
    await one.start()
    await goes_on(one)


async def test_one_with_another_host_key_is_not_trusted_until_somebody_says_so(
    one: Machine, machine_settings: Settings
) -> None:
    await does(one, f'systemd-run --quiet --collect sh -c "{OTHER_KEYS}"')

    async def distrusted() -> bool:
        status = await one.status()
        return not status.seen and "another host key" in status.why

    await eventually(distrusted, 30, "the other key to be noticed")
    why = await fails(one.run(["true"]))
    known = machine_settings.state / "lab" / "known_hosts"
    assert why.endswith(f"remove the line of core-01 from {known}")

    def as_told() -> None:
        kept = [line for line in known.read_text().splitlines(keepends=True) if not line.startswith("core-01 ")]
        known.write_text("".join(kept))

    await asyncio.to_thread(as_told)

    async def trusted() -> bool:
        return (await one.status()).seen

    await eventually(trusted, 30, "the key to be taken")
    await goes_on(one)


async def test_what_may_be_somebody_elses_is_not_touched(lab: Lab, one: Machine, machine_settings: Settings) -> None:
    await one.put("note", b"somebody's")
    await does(one, f"mv {layout.MARKER} {layout.ROOT}/kept")
    assert isinstance(one, RemoteMachine)
    assert f"{layout.MARKER} is missing" in await fails(one.renew())
    await lab.leave()
    again = open_lab(machine_settings, {})
    other = again.machines["core-01"]
    try:
        for _ in range(2):
            assert "holds files that are not ours; move them away" in await fails(other.start())
        await fails(other.put("note", b"ours"))
    finally:
        await again.leave()
    await vagrant(machine_settings, "ssh", "core-01", "-c", f"sudo mv {layout.ROOT}/kept {layout.MARKER}")
    last = open_lab(machine_settings, {})
    try:
        await last.machines["core-01"].start()
        assert await last.machines["core-01"].get("note") == b"somebody's"
    finally:
        await last.leave()


@is_virtual
async def test_one_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(one: Machine) -> None:
    await does(one, FILL)
    assert "No space left on device" in await fails(one.put("more", bytes(1 << 20)))
    unit = one.unit("nap")
    assert "No space left on device" in await fails(unit.configure(UnitSpec("nap", ("sleep", "600"))))
    status = await one.status()
    assert (status.power, status.seen) == ("up", True)
    await does(one, EMPTY)
    await goes_on(one)


@is_virtual
async def test_a_clock_that_is_off_is_complained_about(lab: Lab, one: Machine) -> None:
    heard: list[str] = []
    lab.narrate(lambda *_: None, lambda _machine, words: heard.append(words))
    await does(one, "date --set '+1 hour' >/dev/null")

    async def complained() -> bool:
        return any(line.startswith("core-01's clock is 3") and "ahead of yours" in line for line in heard)

    await eventually(complained, 40, "a complaint about the clock")
    await goes_on(one)
    await does(one, "date --set '-1 hour' >/dev/null")


async def test_an_up_that_is_cancelled_half_way_leaves_what_is_true(lab: Lab, one: Machine) -> None:
    await one.destroy()
    said = asyncio.Event()
    lab.narrate(lambda *_: said.set(), lambda *_: None)
    starting = asyncio.create_task(one.start())
    async with asyncio.timeout(60):
        await said.wait()
    assert (await one.status()).power == "starting"
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting
    assert starting.cancelled()
    await eventually(has_power(one, "gone", "halted", "off", "up"), 60, "what is true of it")
    await one.start()
    await goes_on(one)


async def test_one_that_never_gets_ssh_is_given_up_and_can_be_made_anew(
    one: Machine, machine_settings: Settings
) -> None:
    file = Place.of(machine_settings).file
    before = await asyncio.to_thread(file.read_text)
    await does(one, "systemctl --quiet mask ssh.service ssh.socket")
    await one.stop()
    short = 'Vagrant.configure("2") { |config| config.vm.boot_timeout = 15 }\n'
    await asyncio.to_thread(file.write_text, f"{before}\n{short}")
    try:
        assert "SSH did not answer in Vagrant's boot_timeout" in await fails(one.start())
    finally:
        await asyncio.to_thread(file.write_text, before)
    await one.destroy()
    await one.start()
    await goes_on(one)
