"""One virtual machine from nothing: made, set up, killed, halted and destroyed by the product itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.lab import eventually, output

from rwk_tui.cluster.etcd import Static, member_spec, peer_url
from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import Lab, LabError, MachineDown, Place
from rwk_tui.settings import Settings

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
async def lab(machine_settings: Settings, programs: dict[str, Path]) -> AsyncIterator[Lab]:
    opened = open_lab(machine_settings, programs)
    try:
        yield opened
    finally:
        await opened.leave()


async def says(machine: Place, *argv: str) -> str:
    """What a command on the machine prints."""
    code, out, err = await output(await machine.run(argv))
    assert code == 0, err
    return "\n".join(out)


async def test_a_machine_lives_through_everything_that_is_done_to_it(lab: Lab, machine_settings: Settings) -> None:
    one = lab.machines["core-01"]
    assert lab.outlives
    await one.destroy()  # from nothing, whatever the tests before left of it
    await one.start()
    assert (await one.status()).power == "up"
    assert await says(one, "hostname") == "core-01"

    etcd = one.unit("etcd")
    await etcd.configure(member_spec(one, machine_settings, Static({one.name: peer_url(one)})))
    await etcd.start()

    async def serves() -> bool:
        return (await output(await one.run(["etcdctl", "endpoint", "health"])))[0] == 0

    await eventually(serves, 30, "etcd to serve")
    assert await says(one, "etcdctl", "put", "kept", "through everything") == "OK"
    host, port = await one.reach(2379)
    assert await says(lab.desk, "etcdctl", f"--endpoints=http://{host}:{port}", "get", "kept") == (
        "kept\nthrough everything"
    )

    await etcd.kill()
    status = await etcd.status()
    assert (status.state, status.exit) == ("failed", "killed by SIGKILL")
    await etcd.start()
    await eventually(serves, 30, "etcd to serve again")

    for end, power in ((one.kill, "off"), (one.stop, "halted")):
        await end()
        assert (await one.status()).power == power
        with pytest.raises(MachineDown):
            await one.run(["true"])
        await one.start()
        await eventually(serves, 30, f"etcd to come back with a machine that was {power}")
        assert "through everything" in await says(one, "etcdctl", "get", "kept")

    await one.destroy()
    status_of_all = await one.status()
    assert (status_of_all.power, dict(status_of_all.units)) == ("gone", {})
    with pytest.raises(LabError):
        await one.get("etcd")
