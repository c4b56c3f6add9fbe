"""The call of ssh for a shell on a machine: what it may trust, and that no word of it is taken for another."""

from __future__ import annotations

import asyncio
import getpass
import shlex
import shutil
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from support.tools import unavailable

from rwk_tui.lab.protocol import LabError, Terminal
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote import terminal as module
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.remote.terminal import begin, terminal, write_known

USER = getpass.getuser()
ODD = {"WORD": 'it\'s $HOME; `id` \\ "x"\n%', "EMPTY": ""}


@pytest.fixture
def ssh_client() -> None:
    """OpenSSH's client, which is what the presenter's terminal runs."""
    if shutil.which("ssh") is None:
        unavailable("there is no ssh on PATH")


def test_the_command_is_one_line_of_quoted_words() -> None:
    words = shlex.split(begin("core-01", "debian", ODD))
    assert words[:5] == ["sudo", "-n", "/bin/sh", "-c", module._BEGIN]
    assert words[5:7] == ["rwk", layout.DISK]
    assert f"WORD={ODD['WORD']}" in words and "EMPTY=" in words and "PS1=core-01$ " in words
    assert f"PATH={layout.PATH}" in words
    assert shlex.split(begin("core-01", "root", {}))[0] == "/bin/sh"


def test_the_presenters_agent_is_asked_only_where_the_lab_asks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    monkeypatch.setenv("KUBECONFIG", "/home/me/config")
    plain = Login("10.0.0.11", 2222, "me", (tmp_path / "missing",))
    without = terminal("core-01", plain, tmp_path / "known", {})
    assert "IdentityAgent=none" in without.argv and "IdentitiesOnly=yes" in without.argv
    assert not [word for word in without.argv if word.startswith("IdentityFile")]
    assert not {"SSH_AUTH_SOCK", "KUBECONFIG"} & dict(without.environment).keys()
    agent = terminal("core-01", replace(plain, agent=True), tmp_path / "known", {})
    assert "IdentityAgent=none" not in agent.argv
    assert dict(agent.environment)["SSH_AUTH_SOCK"] == "/run/agent"
    for found in (without, agent):
        assert "StrictHostKeyChecking=yes" in found.argv
        assert found.argv[-3:-1] == ("--", "10.0.0.11")


def test_without_ssh_or_a_known_key_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabError, match="core-01 has shown no host key yet"):
        write_known(tmp_path / "known", "core-01", ())
    assert not (tmp_path / "known").exists()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(LabError, match="no program ssh here"):
        terminal("core-01", Login("h", 22, "me", ()), tmp_path / "known", {})


class _Server(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._key


class Host:
    """A host on loopback that runs what it is told, as its user's login shell would, and without sudo."""

    def __init__(self, directory: Path) -> None:
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.file = directory / 'my "keys" 100%h' / "id"
        self.file.parent.mkdir()
        self.key.write_private_key(self.file)
        self.file.chmod(0o600)
        self.known = directory / "known %h hosts"
        self.login = Login("127.0.0.1", 0, USER, (self.file,))

    @property
    def shown(self) -> str:
        return self.host_key.export_public_key("openssh").decode().strip()

    async def run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = shlex.join([word for word in shlex.split(process.command or "") if word not in ("sudo", "-n")])
        child = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await child.communicate(await process.stdin.read())
        process.stdout.write(out)
        process.exit(child.returncode or 0)


@pytest.fixture
async def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    monkeypatch.setattr(layout, "DISK", str(tmp_path / "the disk"))
    (tmp_path / "the disk").mkdir()
    made = Host(tmp_path)
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Server(made.key.convert_to_public()),
        server_host_keys=[made.host_key],
        process_factory=made.run,
        encoding=None,
    )
    made.login = replace(made.login, port=server.get_port())
    yield made
    server.close()
    await server.wait_closed()


async def typed(terminal: Terminal, text: str) -> tuple[int, list[str], str]:
    process = await asyncio.create_subprocess_exec(
        *terminal.argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(terminal.environment),
    )
    async with asyncio.timeout(20):
        out, err = await process.communicate(text.encode())
    return process.returncode or 0, out.decode().splitlines(), err.decode()


@pytest.mark.process
@pytest.mark.usefixtures("ssh_client")
async def test_what_is_piped_in_runs_there_with_the_profile_and_its_exit_code_comes_back(host: Host) -> None:
    write_known(host.known, "core-01", (host.shown,))
    assert stat.S_IMODE(host.known.stat().st_mode) == 0o600
    profile = {**ODD, "WORD": ODD["WORD"].replace("\n", " ")}
    found = terminal("core-01", host.login, host.known, profile)
    code, out, err = await typed(found, 'pwd\necho "$WORD"\necho "$RWK_MACHINE:$PATH"\nexit 7\n')
    assert err == ""
    assert out == [layout.DISK, profile["WORD"], f"core-01:{layout.PATH}"]
    assert code == 7


@pytest.mark.process
@pytest.mark.usefixtures("ssh_client")
async def test_a_host_that_shows_another_key_gets_nothing(host: Host) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode().strip()
    write_known(host.known, "core-01", (other,))
    code, out, err = await typed(terminal("core-01", host.login, host.known, {}), "echo in\n")
    assert (code, out) == (255, [])
    assert "host key" in err.lower()
