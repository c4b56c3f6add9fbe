"""What every backend promises about machines and units."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import get_args

import pytest
from support.lab import ask, cut_power, eventually, output, serve, serving, unit_status

from rwk_tui.lab.protocol import Lab, LabError, MachineDown, MachineVerb, UnitSpec

pytestmark = pytest.mark.process

SLEEP = UnitSpec("nap", ("sleep", "1000"))


async def test_up_and_down_and_up_again(opener: Callable[[], Lab]) -> None:
    lab = opener()
    if lab.outlives:
        await lab.reset()  # its machines are those of the tests before
    else:
        assert await lab.left_behind() == ""
    await lab.up()
    assert list(lab.machines) == ["core-01", "core-02", "core-03"]
    assert [(await m.status()).power for m in lab.machines.values()] == ["up"] * 3
    await serve(lab.machines["core-02"])
    await lab.machines["core-01"].put("note", b"kept")
    await lab.down()
    assert [(await m.status()).power for m in lab.machines.values()] == ["halted"] * 3

    again = opener()
    words = await again.left_behind()
    assert "core-02" in words
    assert "halted" in words
    await again.up()
    assert await again.machines["core-01"].get("note") == b"kept"
    await serving(again.machines["core-02"])
    assert await again.left_behind() == ""
    await again.leave()


async def test_a_unit_lives_and_ends(lab: Lab) -> None:
    unit = lab.machines["core-01"].unit("nap")
    await unit.configure(SLEEP)
    assert (await unit.status()).state == "stopped"
    await unit.start()
    first = await unit.status()
    assert (first.state, first.pid > 0, first.spec) == ("running", True, SLEEP)
    await unit.start()
    assert (await unit.status()).pid == first.pid, "starting what runs changes nothing"
    await unit.restart()
    assert (await unit.status()).pid != first.pid
    await unit.stop()
    assert ((await unit.status()).state, (await unit.status()).pid) == ("stopped", 0)
    await unit.stop()


async def test_a_killed_unit_has_failed_and_says_how(lab: Lab) -> None:
    unit = lab.machines["core-01"].unit("nap")
    await unit.configure(SLEEP)
    await unit.start()
    await unit.kill()
    status = await unit_status(lab, "core-01", "nap")
    assert status.state == "failed"
    assert "SIGKILL" in status.exit
    await unit.kill()
    await unit.start()
    assert (await unit.status()).state == "running"


async def test_a_unit_that_is_stopped_has_not_failed_whatever_it_says_at_its_end(lab: Lab) -> None:
    unit = lab.machines["core-01"].unit("grumpy")
    script = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    await unit.configure(UnitSpec("grumpy", ("sh", "-c", script)))
    await unit.start()

    async def ready() -> bool:
        return [line async for line in unit.log()] == ["ready"]

    await eventually(ready)
    await unit.stop()
    status = await unit.status()
    assert (status.state, status.exit) == ("stopped", "exit code 3")


async def test_a_program_that_ends_at_once_says_its_code(lab: Lab) -> None:
    unit = lab.machines["core-01"].unit("brief")
    await unit.configure(UnitSpec("brief", ("sh", "-c", "echo oops; exit 3")))
    await unit.start()

    async def failed() -> bool:
        return (await unit.status()).state == "failed"

    await eventually(failed)
    assert "3" in (await unit.status()).exit
    assert [line async for line in unit.log()] == ["oops"]


async def test_a_frozen_unit_is_seen_as_such_and_goes_on(lab: Lab) -> None:
    machine = lab.machines["core-01"]
    await serve(machine)
    pid = (await unit_status(lab, "core-01")).pid
    await machine.unit("talk").pause()
    assert (await unit_status(lab, "core-01")).state == "paused"
    assert await ask(machine) == ""
    await machine.unit("talk").resume()
    assert (await unit_status(lab, "core-01")).state == "running"
    assert (await unit_status(lab, "core-01")).pid == pid
    await serving(machine)


async def test_a_frozen_unit_can_be_stopped_killed_and_halted(lab: Lab) -> None:
    machine = lab.machines["core-01"]
    unit = machine.unit("nap")
    await unit.configure(SLEEP)
    for end in (unit.stop, unit.kill, machine.stop):
        await unit.start()
        await unit.pause()
        await end()
        assert (await unit.status()).pid == 0


async def test_what_can_not_be_started_is_an_error(lab: Lab) -> None:
    machine = lab.machines["core-01"]
    with pytest.raises(LabError):
        await machine.unit("nothing").start()
    await machine.unit("lost").configure(UnitSpec("lost", ("no-such-program",)))
    with pytest.raises(LabError, match="no-such-program"):
        await machine.unit("lost").start()
    with pytest.raises(LabError, match="no-such-program"):
        await machine.run(["no-such-program"])
    with pytest.raises(LabError):
        await machine.unit("nothing").pause()


async def test_a_machine_that_is_down_does_nothing(lab: Lab) -> None:
    machine = lab.machines["core-03"]
    await machine.unit("nap").configure(SLEEP)
    await machine.unit("nap").start()
    await machine.stop()
    assert (await machine.status()).power == "halted"
    assert (await unit_status(lab, "core-03", "nap")).state == "stopped"
    for attempt in (
        machine.run(["true"]),
        machine.put("x", b""),
        machine.get("x"),
        machine.unit("nap").start(),
        machine.unit("nap").kill(),
    ):
        with pytest.raises(MachineDown):
            await attempt


@pytest.mark.parametrize("verb", ["stop", "kill"])
async def test_wanted_units_come_back_with_their_machine(lab: Lab, verb: str) -> None:
    machine = lab.machines["core-02"]
    await serve(machine)
    await machine.unit("nap").configure(SLEEP)
    await machine.unit("nap").start()
    await machine.unit("nap").stop()
    if verb == "stop":
        await machine.stop()
        expected = "halted"
    else:
        expected = await cut_power(lab, machine.name)
    assert (await machine.status()).power == expected
    assert await ask(machine) == ""
    await machine.start()
    await serving(machine)
    assert (await unit_status(lab, "core-02", "nap")).state == "stopped"


async def test_a_destroyed_machine_comes_back_empty(lab: Lab) -> None:
    machine = lab.machines["core-02"]
    await serve(machine)
    await machine.put("deep/note", b"lost")
    await machine.destroy()
    status = await machine.status()
    assert (status.power, dict(status.units)) == ("gone", {})
    await machine.start()
    assert (await machine.status()).power == "up"
    assert dict((await machine.status()).units) == {}
    with pytest.raises(LabError):
        await machine.get("deep/note")


async def test_a_destroyed_machine_comes_back_empty_however_often_it_is_looked_at(lab: Lab) -> None:
    machine = lab.machines["core-02"]
    for _ in range(5):
        await serve(machine)
        going = asyncio.create_task(machine.destroy())
        while not going.done():
            await machine.status()
            await asyncio.sleep(0)
        await going
        await machine.start()
        assert dict((await machine.status()).units) == {}


async def test_reset_from_any_state(lab: Lab) -> None:
    await lab.machines["core-01"].put("note", b"x")
    await cut_power(lab, "core-01")
    await lab.machines["core-02"].destroy()
    await serve(lab.machines["core-03"])
    await lab.machines["core-03"].unit("talk").pause()
    await lab.link("core-01", "core-02").cut()
    await lab.reset()
    assert [(await m.status()).power for m in lab.machines.values()] == ["up"] * 3
    assert [dict((await m.status()).units) for m in lab.machines.values()] == [{}] * 3
    assert not any(link.is_cut for link in lab.links)
    with pytest.raises(LabError):
        await lab.machines["core-01"].get("note")


async def test_files(lab: Lab) -> None:
    machine = lab.machines["core-01"]
    await machine.put("a/b", bytes(range(256)))
    assert await machine.get("a/b") == bytes(range(256))
    assert await machine.get(f"{machine.data}/a/b") == bytes(range(256))
    await machine.put("run.sh", b"#!/bin/sh\necho $0 runs\n", mode=0o700)
    code, out, _ = await output(await machine.run([f"{machine.data}/run.sh"]))
    assert (code, out) == (0, [f"{machine.data}/run.sh runs"])
    with pytest.raises(LabError):
        await machine.get("a/missing")


async def test_commands(lab: Lab) -> None:
    machine = lab.machines["core-01"]
    run = await machine.run(["sh", "-c", "echo to out; echo $WORD >&2; exit 7"], environment={"WORD": "to err"})
    assert await output(run) == (7, ["to out"], ["to err"])
    assert await (await machine.run(["sh", "-c", "kill -9 $$"])).wait() == 137
    assert await (await machine.run(["cat"])).wait() == 0, "a command has no input"


async def test_a_line_of_any_length(lab: Lab) -> None:
    argv = ["python3", "-c", "print('x' * 300_000); print('end', end='')"]
    code, out, _ = await output(await lab.machines["core-01"].run(argv))
    assert (code, [len(line) for line in out]) == (0, [300_000, 3])


async def test_a_command_can_be_ended_and_a_cancelled_one_ends(lab: Lab) -> None:
    machine = lab.machines["core-01"]
    run = await machine.run(["sh", "-c", "echo $$; sleep 1000"])
    pid = (await anext(aiter(run))).text
    await run.kill()
    assert await run.wait() == 137
    await run.kill()

    second = await machine.run(["sh", "-c", "echo $$; sleep 1000"])
    lines = aiter(second)
    pid = (await anext(lines)).text
    waiting = asyncio.create_task(second.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    async def gone() -> bool:
        return await (await machine.run(["sh", "-c", f"kill -0 {pid} 2>/dev/null"])).wait() != 0

    await eventually(gone, what="the end of the cancelled command")


async def test_the_log_is_followed(lab: Lab) -> None:
    unit = lab.machines["core-01"].unit("count")
    script = "for i in 1 2 3 4 5 6; do echo line $i; done; sleep 0.3; echo later; sleep 1000"
    await unit.configure(UnitSpec("count", ("sh", "-c", script)))
    await unit.start()

    async def written() -> bool:
        return len([line async for line in unit.log()]) >= 6

    await eventually(written)
    seen = []
    async with asyncio.timeout(10):
        async for line in unit.log(lines=2, follow=True):
            seen.append(line)
            if line == "later":
                break
    assert seen in (["line 5", "line 6", "later"], ["line 6", "later"])


async def test_what_is_shown_names_the_program(lab: Lab) -> None:
    machine = lab.machines["core-01"]
    spec = UnitSpec("nap", ("sleep", "1000"), environment=(("WORD", "two words"),))
    shown = machine.unit("nap").show_spec("start", spec)
    assert shown
    assert "etcdctl member list" in machine.show_run(["etcdctl", "member", "list"])
    for verb in get_args(MachineVerb):
        assert machine.show(verb)


LAST_WORDS = """
import signal, sys, time
def end(*_):
    time.sleep(float(sys.argv[2]))
    open(sys.argv[1], "w").write(str(time.time()))
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("listening", flush=True)
while True: signal.pause()
"""


async def test_a_machine_that_halts_ends_clients_before_their_servers(lab: Lab) -> None:
    machine = lab.machines["core-01"]
    for name, after in (("server", ()), ("middle", ("server",)), ("client", ("middle", "not there"))):
        argv = ("python3", "-c", LAST_WORDS, f"{machine.data}/{name}.txt", "0.2")
        await machine.unit(name).configure(UnitSpec(name, argv, after=after))
        await machine.unit(name).start()

        async def listens(name: str = name) -> bool:
            return "listening" in [line async for line in machine.unit(name).log(lines=1)]

        await eventually(listens, what=f"{name} waits for its end")
    await machine.stop()
    await machine.start()
    ended = [float(await machine.get(f"{name}.txt")) for name in ("client", "middle", "server")]
    assert ended == sorted(ended)
    assert ended[1] - ended[0] > 0.1 < ended[2] - ended[1]
