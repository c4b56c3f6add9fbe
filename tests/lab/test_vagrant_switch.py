"""Vagrant is run as it should be: in order, out of the way of the event loop, and never longer than it is wanted."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from support.lab import all_gone, eventually
from support.vagrant_fake import MAKES_MACHINES, FakeVagrant

from rwk_tui.board.targets import MACHINES
from rwk_tui.lab.host.complaints import Complaints
from rwk_tui.lab.protocol import LabError, MachineDown
from rwk_tui.lab.vagrant import command
from rwk_tui.lab.vagrant.switch import VagrantSwitch
from rwk_tui.settings import Settings, Vagrant

CONFIG = """Host core-01
  HostName 127.0.0.1
  User vagrant
  Port 2222
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  IdentityFile "/home/me/with blank/private_key"
  IdentityFile /home/me/.vagrant.d/insecure_private_keys/vagrant.key.ed25519
  IdentitiesOnly yes
"""
WAITS = 'trap \'echo interrupted >>"$here/heard"; exit 1\' INT\necho $$ >"$here/pid"\nwhile :; do sleep 0.05; done\n'
TIDIES_UP = 'trap \'sleep 0.5; touch "$here/tidy"; exit 1\' INT\necho $$ >"$here/pid"\nwhile :; do sleep 0.05; done\n'
OBEYS_NOBODY = "trap '' INT TERM\necho $$ >\"$here/pid\"\nwhile :; do sleep 0.05; done\n"


def nothing_to_complain(machine: str, words: str) -> None:
    raise AssertionError(words)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeVagrant:
    return FakeVagrant(tmp_path / "fake", monkeypatch)


def settings(state: Path, provider: str = "") -> Settings:
    return Settings(state=state, engine_cache=state, backend="vagrant", vagrant=Vagrant(provider=provider))


@pytest.fixture
async def switch(fake: FakeVagrant, tmp_path: Path) -> AsyncIterator[VagrantSwitch]:
    opened = VagrantSwitch(settings(tmp_path / "state", "libvirt"))
    yield opened
    await opened.close()


async def begun(fake: FakeVagrant, call: str, times: int = 1) -> None:
    async def there() -> bool:
        return fake.calls.count(call) >= times

    await eventually(there, what=f"`vagrant {call}`")


async def pid_of(fake: FakeVagrant) -> int:
    file = fake.directory / "pid"

    async def there() -> bool:
        return file.exists() and file.read_text().strip() != ""

    await eventually(there, what="the pid of vagrant")
    return int(file.read_text())


async def gone(pid: int, deadline: float = 10.0) -> None:
    async def is_gone() -> bool:
        return await all_gone([pid])

    await eventually(is_gone, deadline, "the end of vagrant")


@pytest.mark.process
async def test_what_is_run(switch: VagrantSwitch, fake: FakeVagrant, tmp_path: Path) -> None:
    fake.does("up", MAKES_MACHINES)
    assert await switch.exists() == {} and not (tmp_path / "state").exists()
    await switch.start("core-02")
    assert await switch.exists() == {"core-02": "halted"}
    await switch.start("core-02")
    await switch.stop("core-02")
    await switch.kill("core-02")
    await switch.destroy("core-02")
    assert fake.calls == [
        "up core-02 --provider=libvirt",
        "up core-02",
        "halt core-02",
        "halt core-02 --force",
        "destroy core-02 --force",
    ]
    assert (tmp_path / "state" / "lab" / "vagrant" / "Vagrantfile").is_file()


async def test_words(switch: VagrantSwitch) -> None:
    assert [switch.address(name) for name in MACHINES] == ["192.168.56.101", "192.168.56.102", "192.168.56.103"]
    assert [switch.show(verb, "core-01") for verb in ("start", "stop", "kill", "destroy")] == [
        "vagrant up core-01",
        "vagrant halt core-01",
        'vagrant ssh core-01 -c "sudo poweroff --force --force --no-sync"',
        "vagrant destroy --force core-01",
    ]
    assert switch.show_on("cat 'a b'", "core-01") == """vagrant ssh core-01 -c "cat 'a b'\""""
    assert switch.show_on('echo "$HOME"', "core-01") == """vagrant ssh core-01 -c 'echo "$HOME"'"""
    assert switch.lacks("power cut") == "" and switch.owns_power


@pytest.mark.process
async def test_login(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.answers("ssh-config", CONFIG)
    login = await switch.login("core-01")
    assert (login.host, login.port, login.user) == ("127.0.0.1", 2222, "vagrant")
    assert [str(key) for key in login.keys] == [
        "/home/me/with blank/private_key",
        "/home/me/.vagrant.d/insecure_private_keys/vagrant.key.ed25519",
    ]
    assert fake.calls == ["ssh-config core-01"]
    fake.answers("ssh-config", err="The provider is reporting that it\nis not yet ready for SSH.\n", code=1)
    with pytest.raises(MachineDown, match="core-01 is not up"):
        await switch.login("core-01")
    fake.answers("ssh-config", "Host core-01\n  User me\n")
    with pytest.raises(LabError, match="vagrant ssh-config core-01: does not say where SSH listens"):
        await switch.login("core-01")


@pytest.mark.process
@pytest.mark.parametrize(
    ("state", "power"),
    [
        ("running", "up"),
        ("poweroff", "halted"),
        ("shutoff", "halted"),
        ("stopped", "halted"),
        ("aborted", "off"),
        ("not_created", "gone"),
        ("not created", "gone"),
        ("something new", None),
    ],
)
async def test_look(state: str, power: str | None, switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.answers(
        "status",
        f"1,core-01,metadata,provider,libvirt\n1,core-01,provider-name,libvirt\n1,core-01,state,{state}\n"
        f"1,core-01,state-human-short,x\n1,,ui,info,Current machine states:\\n\\ncore-01  {state}\n",
    )
    assert await switch.look("core-01") == power
    assert fake.calls == ["status --machine-readable core-01"]


@pytest.mark.process
async def test_look_never_raises_and_never_disturbs(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.answers("status", "1,,error-exit,Vagrant::Errors::MachineNotFound,x was not found configured\n", code=1)
    assert await switch.look("core-01") is None
    fake.does("up", WAITS)
    task = asyncio.ensure_future(switch.start("core-01"))
    await begun(fake, "up core-01 --provider=libvirt")
    before = len(fake.calls)
    looking = asyncio.ensure_future(switch.look("core-01"))
    await asyncio.wait({looking}, timeout=0.2)
    assert not looking.done() and len(fake.calls) == before
    task.cancel()
    await asyncio.wait({task})
    assert await looking is None


@pytest.mark.process
async def test_a_look_sees_what_an_interrupted_vagrant_has_left(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.does("up", TIDIES_UP)
    starting = asyncio.ensure_future(switch.start("core-01"))
    await begun(fake, "up core-01 --provider=libvirt")
    await pid_of(fake)
    starting.cancel()
    await asyncio.wait({starting})
    fake.does("status", 'test -e "$here/tidy" || echo early >>"$here/trouble"\n')
    fake.answers("status", "1,core-01,state,running\n")
    assert await switch.look("core-01") == "up"
    assert not (fake.directory / "trouble").exists()


@pytest.mark.process
async def test_a_question_is_broken_off_when_there_is_something_to_do(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.does("status", WAITS)
    looking = asyncio.ensure_future(switch.look("core-01"))
    await pid_of(fake)
    await switch.stop("core-01")
    assert fake.calls[-1] == "halt core-01"
    assert await looking is None
    assert (fake.directory / "heard").read_text() == "interrupted\n"


@pytest.mark.process
async def test_a_question_without_an_answer_ends(
    switch: VagrantSwitch, fake: FakeVagrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rwk_tui.lab.vagrant.switch._ASK_WITHIN", 0.5)
    fake.does("ssh-config", WAITS)
    with pytest.raises(LabError, match="vagrant ssh-config core-01: no answer for 0.5 s"):
        await switch.login("core-01")


@pytest.mark.process
async def test_what_it_prints_is_told_clean_and_while_it_runs(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    told: list[tuple[str, str]] = []
    switch.narrate(lambda machine, line: told.append((machine, line)), nothing_to_complain)
    fake.does("up", f'printf "\\033[1m==> core-01: Booting VM...\\033[0m\\n==> core-01: Booting VM...\\n"\n{WAITS}')
    task = asyncio.ensure_future(switch.start("core-01"))

    async def heard() -> bool:
        return ("core-01", "Booting VM...") in told

    await eventually(heard, what="what vagrant prints")
    assert told == [("core-01", "Booting VM...")] and not task.done()
    task.cancel()


@pytest.mark.process
async def test_one_thing_at_a_time_on_a_machine(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.does("halt", 'mkdir "$here/busy" || echo both >>"$here/trouble"\nsleep 0.2\nrmdir "$here/busy"\n')
    fake.does("up", 'mkdir "$here/busy" || echo both >>"$here/trouble"\nsleep 0.2\nrmdir "$here/busy"\n')
    await asyncio.gather(switch.stop("core-01"), switch.start("core-01"), switch.kill("core-01"))
    assert fake.calls == ["halt core-01", "up core-01 --provider=libvirt", "halt core-01 --force"]
    assert not (fake.directory / "trouble").exists()


@pytest.mark.process
async def test_three_machines_at_once(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    """Each of them only ends when all three have begun."""
    fake.does("halt", 'while [ "$(grep -c "^halt" "$here/calls")" -lt 3 ]; do sleep 0.02; done\n')
    async with asyncio.timeout(20):
        await asyncio.gather(*(switch.stop(name) for name in MACHINES))


@pytest.mark.process
@pytest.mark.parametrize(
    ("provider", "exists", "together"),
    [("virtualbox", True, False), ("virtualbox", False, False), ("libvirt", False, True), ("lxc", True, True)],
)
async def test_who_is_made_at_once(
    provider: str, exists: bool, together: bool, fake: FakeVagrant, tmp_path: Path
) -> None:
    """Making is in turn until the machine boots; with VirtualBox until it is up."""
    switch = VagrantSwitch(settings(tmp_path / "state", provider))
    for name in MACHINES if exists else ():
        file = tmp_path / "state" / "lab" / "vagrant" / ".vagrant" / "machines" / name / provider / "id"
        file.parent.mkdir(parents=True)
        file.write_text("1234")
    # In the first part nobody may meet another one; who gets to the second one waits a little for others.
    alone = "" if exists else 'mkdir "$here/making" || echo both >>"$here/trouble"\nsleep 0.1\nrmdir "$here/making"\n'
    fake.does(
        "up",
        f"""echo "Bringing machine '$2' up with '{provider}' provider..."
{alone}echo "==> $2: Starting domain."
echo + >>"$here/booting"
for _ in $(seq 100); do [ "$(wc -l <"$here/booting")" -lt 3 ] || {{ echo met >>"$here/met"; break; }}; sleep 0.01; done
""",
    )
    await asyncio.gather(*(switch.start(name) for name in MACHINES))
    await switch.close()
    assert not (fake.directory / "trouble").exists()
    met = (fake.directory / "met").read_text().count("met") if (fake.directory / "met").exists() else 0
    assert met == (3 if together else 1)  # the last one finds the marks of those before it


@pytest.mark.process
@pytest.mark.parametrize(("provider", "together"), [("libvirt", False), ("virtualbox", True), ("lxc", True)])
async def test_who_is_lost_at_once(provider: str, together: bool, fake: FakeVagrant, tmp_path: Path) -> None:
    """With libvirt the networks go with the last machine, and only one Vagrant can take them away."""
    switch = VagrantSwitch(settings(tmp_path / "state", provider))
    for name in MACHINES:
        file = tmp_path / "state" / "lab" / "vagrant" / ".vagrant" / "machines" / name / provider / "id"
        file.parent.mkdir(parents=True)
        file.write_text("1234")
    enough = 3 if together else 1
    fake.does(
        "destroy",
        f"""echo + >>"$here/under-way"
for _ in $(seq 1000); do [ "$(wc -l <"$here/under-way")" -lt {enough} ] || break; sleep 0.01; done
[ "$(wc -l <"$here/under-way")" -eq {enough} ] || echo not so many >>"$here/trouble"
sleep 0.2
{"" if together else 'rm "$here/under-way"'}
""",
    )
    await asyncio.gather(*(switch.destroy(name) for name in MACHINES))
    await switch.close()
    assert not (fake.directory / "trouble").exists()


@pytest.mark.process
async def test_cancelled_it_lets_go_at_once_and_the_next_waits(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.does("up", WAITS)
    task = asyncio.ensure_future(switch.start("core-01"))
    pid = await pid_of(fake)
    fake.does("halt", f'kill -0 {pid} 2>/dev/null && echo both >>"$here/trouble"\n:\n')
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await switch.stop("core-01")
    assert (fake.directory / "heard").read_text() == "interrupted\n"
    assert not (fake.directory / "trouble").exists()
    assert fake.calls == ["up core-01 --provider=libvirt", "halt core-01"]


@pytest.mark.process
async def test_cancelled_before_it_began_it_never_begins(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.does("halt", WAITS)
    first = asyncio.ensure_future(switch.stop("core-01"))
    await begun(fake, "halt core-01")
    second = asyncio.ensure_future(switch.start("core-01"))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    for task in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await task
    fake.does("halt", ":\n")
    await switch.stop("core-01")
    assert fake.calls == ["halt core-01", "halt core-01"]


@pytest.mark.process
async def test_a_turn_that_is_given_up_is_free_for_others(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.does("up-core-01", WAITS)
    first = asyncio.ensure_future(switch.start("core-01"))
    await begun(fake, "up core-01 --provider=libvirt")
    waiting = asyncio.ensure_future(switch.start("core-02"))
    await asyncio.sleep(0.05)
    assert len(fake.calls) == 1
    waiting.cancel()
    first.cancel()
    async with asyncio.timeout(20):
        await switch.start("core-03")


@pytest.mark.process
async def test_who_does_not_listen_is_killed(
    switch: VagrantSwitch, fake: FakeVagrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "GRACE", 0.2)
    fake.does("up", OBEYS_NOBODY)
    task = asyncio.ensure_future(switch.start("core-01"))
    pid = await pid_of(fake)
    task.cancel()
    await gone(pid)


@pytest.mark.process
async def test_closing_interrupts_and_waits(fake: FakeVagrant, tmp_path: Path) -> None:
    switch = VagrantSwitch(settings(tmp_path / "state"))
    fake.does("up", WAITS)
    task = asyncio.ensure_future(switch.start("core-01"))
    pid = await pid_of(fake)
    await switch.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(LabError, match="vagrant up core-01 was interrupted"):
        await task


@pytest.mark.process
async def test_when_we_die_vagrant_is_interrupted(fake: FakeVagrant, tmp_path: Path) -> None:
    fake.does("up", WAITS)
    code = (
        "import asyncio, sys; from pathlib import Path; from rwk_tui.settings import Settings\n"
        "from rwk_tui.lab.vagrant.switch import VagrantSwitch\n"
        "async def main(): await VagrantSwitch(Settings(Path(sys.argv[1]), Path(sys.argv[1]))).start('core-01')\n"
        "asyncio.run(main())\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path / "state"), env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    try:
        pid = await pid_of(fake)
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()
    await gone(pid)
    assert (fake.directory / "heard").read_text() == "interrupted\n"


@pytest.mark.process
async def test_a_machine_that_holds_the_output_open_keeps_nobody_waiting(
    switch: VagrantSwitch, fake: FakeVagrant
) -> None:
    holds = 'setsid sh -c "echo \\$\\$ >$here/machine; exec sleep 60" &\n'
    fake.does("up", holds + 'until [ -s "$here/machine" ]; do sleep 0.01; done\necho up\n')
    told: list[str] = []
    switch.narrate(lambda _, line: told.append(line), nothing_to_complain)
    try:
        async with asyncio.timeout(10):
            await switch.start("core-01")
        assert told == ["up"]
    finally:
        os.kill(int((fake.directory / "machine").read_text()), signal.SIGKILL)


@pytest.mark.process
async def test_errors_are_one_line(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    fake.answers("up", "==> core-01: Booting VM...\n", "Timed out while waiting for the machine to boot. This\n", 1)
    with pytest.raises(LabError, match=r"^vagrant up core-01: core-01 was switched on, but SSH did not answer"):
        await switch.start("core-01")
    fake.answers("halt", err="An action 'halt' was attempted on the machine 'core-01',\nbut another process is already "
                 "executing an action on the machine.\n", code=1)  # fmt: skip
    with pytest.raises(LabError, match="another vagrant command is at work on core-01"):
        await switch.stop("core-01")


Action = Callable[[VagrantSwitch], Awaitable[object]]
ACTIONS: dict[str, Action] = {
    "start": lambda switch: switch.start("core-01"),
    "stop": lambda switch: switch.stop("core-01"),
    "login": lambda switch: switch.login("core-01"),
}


@pytest.mark.parametrize("action", ACTIONS)
async def test_without_vagrant(action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    switch = VagrantSwitch(settings(tmp_path / "state"))
    with pytest.raises(LabError, match="there is no vagrant on PATH: install it from https://developer.hashicorp.com"):
        await ACTIONS[action](switch)
    assert await switch.look("core-01") is None
    await switch.close()


@pytest.mark.process
async def test_a_vagrant_that_can_not_be_run(switch: VagrantSwitch, fake: FakeVagrant) -> None:
    (fake.directory / "bin" / "vagrant").write_text("#!/no/such/interpreter\n")
    with pytest.raises(LabError, match="can't run .*vagrant: No such file or directory"):
        await switch.start("core-01")


async def test_a_directory_that_can_not_be_written(fake: FakeVagrant, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no directory")
    switch = VagrantSwitch(settings(tmp_path / "state"))
    with pytest.raises(LabError, match="Not a directory|File exists"):
        await switch.start("core-01")
    assert fake.calls == []
    await switch.close()


@pytest.mark.process
async def test_what_differs_from_the_settings_is_said_once(fake: FakeVagrant, tmp_path: Path) -> None:
    fake.does("up", MAKES_MACHINES)
    before = VagrantSwitch(settings(tmp_path / "state"))
    await before.start("core-01")
    await before.close()
    changed = Settings(state=tmp_path / "state", engine_cache=tmp_path, vagrant=Vagrant(memory=512))
    switch = VagrantSwitch(changed)
    told: list[str] = []
    complaints = Complaints()
    complaints.heard_by(lambda _, line: told.append(line))
    switch.narrate(lambda *_: None, complaints.add)
    await switch.start("core-01")
    await switch.stop("core-01")
    await switch.close()
    assert len(told) == 1 and "2048 MB, not 512" in told[0]


@pytest.mark.process
async def test_importing_it_without_vagrant_prints_nothing(tmp_path: Path) -> None:
    code = "import rwk_tui.lab.vagrant.switch"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stderr=asyncio.subprocess.PIPE,
        env={"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (await child.communicate())[1] == b""
