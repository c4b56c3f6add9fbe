"""The hosts file: both ways to write it, and every mistake with file, line and what is wrong."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import asyncssh
import pytest

from rwk_tui.lab.ssh.hosts import Host, read_hosts
from rwk_tui.settings import BadInput, Settings

PUBLIC = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519" + bytes(36)).decode()
TOML = """# my hosts
[core-01]
host = "10.0.0.11"
key = "id"
[core-02]
host = "10.0.0.12"
key = "id"
[core-03]
host = "10.0.0.13"
key = "id"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    private_key(tmp_path / "id")
    return tmp_path


def private_key(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    path.chmod(0o600)
    return path


def hosts_of(home: Path, text: str | bytes) -> dict[str, Host]:
    file = home / "hosts"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_hosts(Settings(state=home, engine_cache=home, backend="ssh", hosts=file))


def complaint(home: Path, text: str | bytes) -> str:
    with pytest.raises(BadInput) as caught:
        hosts_of(home, text)
    said = str(caught.value)
    assert said.startswith(str(home / "hosts")) and "\n" not in said
    return said.removeprefix(str(home / "hosts"))


def test_toml(home: Path) -> None:
    other = private_key(home / ".ssh" / "other")
    hosts = hosts_of(
        home,
        f"""
[core-01]
host = "one.example.com"
user = "debian"
port = 2222
key = ["id", "~/.ssh/other"]
address = "10.0.0.11"
host_key = "{PUBLIC} root@one"
[core-03]
host = "10.0.0.13"
key = "{home}/id"
[core-02]
host = "10.0.0.12"
user = "root"
key = "id"
""",
    )
    assert list(hosts) == ["core-01", "core-02", "core-03"]
    first = hosts["core-01"]
    assert (first.login.host, first.login.port, first.login.user) == ("one.example.com", 2222, "debian")
    assert first.login.keys == (home / "id", other) and first.address == "10.0.0.11"
    assert first.login.host_keys == (PUBLIC,) and not first.login.agent
    second = hosts["core-02"]
    assert (second.login.port, second.login.user, second.address) == (22, "root", "10.0.0.12")
    assert second.login.host_keys == ()


def test_without_keys_the_usual_ones_and_the_agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TOML.replace('key = "id"\n', "")
    assert complaint(home, text) == ':2: core-01: no key to log in with: say one, as in key = "~/.ssh/id_ed25519"'
    monkeypatch.setenv("SSH_AUTH_SOCK", "/some/socket")
    login = hosts_of(home, text)["core-01"].login
    assert login.keys == () and login.agent
    usual = private_key(home / ".ssh" / "id_ed25519")
    login = hosts_of(home, text)["core-01"].login
    assert login.keys == (usual,) and login.agent


def test_a_key_with_a_passphrase_needs_an_agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(home / "id", "pkcs8-pem", passphrase="x")
    assert complaint(home, TOML).startswith(f":4: core-01: the key {home}/id has a passphrase and no ssh-agent runs: ")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/some/socket")
    assert hosts_of(home, TOML)["core-01"].login.keys == (home / "id",)


def test_openssh(home: Path) -> None:
    blocks = "".join(
        f"Host core-0{n}\n  HostName 192.168.121.10{n}\n  User vagrant\n  Port 22\n  UserKnownHostsFile /dev/null\n"
        f'  StrictHostKeyChecking no\n  IdentityFile "{home}/id"\n  IdentityFile {home}/second\n  LogLevel FATAL\n\n'
        for n in (1, 2, 3)
    )
    private_key(home / "second")
    hosts = hosts_of(home, "# printed by vagrant ssh-config\n" + blocks)
    assert [host.address for host in hosts.values()] == ["192.168.121.101", "192.168.121.102", "192.168.121.103"]
    assert hosts["core-03"].login.keys == (home / "id", home / "second")
    assert hosts["core-03"].login.user == "vagrant"


def test_openssh_as_people_write_it(home: Path) -> None:
    hosts = hosts_of(
        home,
        """
Host other
  ProxyJump far
Host core-01 one
  hostname=10.0.0.11
  User me
Host core-02
  HostName = 10.0.0.12
Host 10.0.0.13 core-03
  HostName 10.0.0.13
  Port 2200
Host *
  User all
  IdentityFile id
""",
    )
    assert [(host.login.user, host.login.port) for host in hosts.values()] == [("me", 22), ("all", 22), ("all", 2200)]
    assert hosts["core-02"].login.keys == (home / "id",) and hosts["core-02"].address == "10.0.0.12"


def test_openssh_by_patterns(home: Path) -> None:
    private_key(home / "second")
    hosts = hosts_of(
        home,
        """
ServerAliveInterval 5
Host core-* !core-02
  Port 2200
  ProxyJump none
Host core-0?
  User all
  IdentityFile id
  ProxyCommand none
Host core-01
  HostName 10.0.0.11
  User late
  IdentityFile second
Host core-02
  HostName 10.0.0.12
Host core-03
  HostName 10.0.0.13
Host core-[12] other-* !core-*
  ProxyJump far
""",
    )
    assert [(host.login.user, host.login.port) for host in hosts.values()] == [
        ("all", 2200),
        ("all", 22),
        ("all", 2200),
    ]
    assert hosts["core-01"].login.keys == (home / "id", home / "second")


MISTAKES = {
    "unknown key": (TOML.replace('host = "10.0.0.12"', 'hots = "10.0.0.12"'), ":6: core-02: there is no 'hots'; there"),
    "unknown machine": (
        TOML + '[core-04]\nhost = "10.0.0.14"\n',
        ":11: there is no machine 'core-04'; a hosts",
    ),
    "a key outside": ('host = "10.0.0.1"\n' + TOML, ":1: there is no machine 'host'"),
    "missing machine": (TOML.partition("[core-03]")[0], ": does not say where core-03 is; it needs [core-01] with"),
    "no host": (TOML.replace('host = "10.0.0.13"\n', ""), ':8: core-03: does not say host, such as host = "10.0.0.11"'),
    "same host": (TOML.replace("10.0.0.13", "10.0.0.11"), ":9: core-03: is at 10.0.0.11:22, and so is core-01: three"),
    "same address": (
        TOML + 'address = "10.0.0.11"\n',
        ":11: core-03: has the address 10.0.0.11, and so has core-01",
    ),
    "a name without address": (
        TOML.replace("10.0.0.12", "two.example.com"),
        ":6: core-02: two.example.com is no IPv4 address: add the address under which the others reach it, as in",
    ),
    "forwarded ports": (
        TOML.replace("10.0.0.12", "127.0.0.1"),
        ":6: core-02: others can't reach it at 127.0.0.1: add the address under which the others reach it, as in",
    ),
    "bad address": (TOML + "address = 7\n", ":11: core-03: address must be an IPv4 address such as 10.0.0.11, not 7"),
    "bad host": (TOML.replace("10.0.0.11", "-oProxyCommand=x"), ":3: core-01: host must be a host's name or address"),
    "bad user": (TOML + 'user = "me; rm"\n', ":11: core-03: user must be a user's name, not 'me; rm'"),
    "port 0": (TOML + "port = 0\n", ":11: core-03: port must be a whole number from 1 to 65535, not 0"),
    "port too big": (TOML + "port = 65536\n", ":11: core-03: port must be"),
    "port true": (TOML + "port = true\n", ":11: core-03: port must be a whole number from 1 to 65535, not True"),
    "port text": (TOML + 'port = "ssh"\n', ":11: core-03: port must be a whole number from 1 to 65535, not 'ssh'"),
    "no such key": (TOML.replace('"id"', '"nowhere"', 1), ":4: core-01: key {home}/nowhere: No such file or directory"),
    "key is a directory": (TOML.replace('"id"', '"."', 1), ":4: core-01: key {home}: Is a directory"),
    "nobody's key": (TOML.replace('"id"', '"~nobody-here/id"', 1), ":4: core-01: key ~nobody-here/id: ~nobody-here is"),
    "key is a number": (TOML.replace('"id"', "[1]", 1), ":4: core-01: key must be a text or a list of texts, not [1]"),
    "host key": (
        TOML + 'host_key = "ssh-ed25519 AAAAtypo"\n',
        ":11: core-03: host_key must be like a line of the host's /etc/ssh/ssh_host_*_key.pub, not 'ssh-ed25519",
    ),
    "not TOML": (TOML + "user = debian\n", ":11: Invalid value"),
    "twice": (TOML + '[core-01]\nhost = "10.0.0.14"\n', ":11: Cannot declare"),
    "a table that is none": ("core-01 = 3\n" + TOML.partition("\n")[2].replace("[core-01]", "[x]"), ":1: there is no"),
    "empty": ("", ": is empty; it needs [core-01] with"),
    "blank": ("\n \n", ": is empty"),
    "huge": (TOML + "#" * 200_000, ": is larger than 100000 bytes, so it is no hosts file"),
    "deep": ("x = " + "[" * 20_000 + "\n", ": "),
    "Match": ("Host core-01\n  HostName 10.0.0.1\nMatch all\n", ":3: Match can't be followed here; say it under Host"),
    "a jump": (
        "Host core-01\n  ProxyJump far\n",
        ":2: ProxyJump can't be followed here; hosts must",
    ),
    "a jump by a pattern": (
        "Host core-*\n  ProxyJump far\n",
        ":2: ProxyJump can't be followed here; hosts must",
    ),
    "a jump of all but one": (
        "Host core-01\n  ProxyJump none\nHost *\n  ProxyJump far\n",
        ":4: ProxyJump can't be followed here; hosts must",
    ),
    "a name made of others": (
        "Host core-01\n  HostName %h.lan\n",
        ":2: HostName %h.lan: say it here without % and ${}",
    ),
    "forwarded ports, as VirtualBox has them": (
        "".join(
            f"Host core-0{n}\n  HostName 127.0.0.1\n  Port 222{n}\n  IdentityFile id\n  IdentitiesOnly yes\n"
            for n in (1, 2, 3)
        ),
        ':2: core-01: others can\'t reach it at 127.0.0.1: write this file as TOML, which has address = "10.0.0.11"',
    ),
    "OpenSSH without a key": (
        "".join(f"Host core-0{n}\n  HostName 10.0.0.{n}\n" for n in (1, 2, 3)),
        ":1: core-01: no key to log in with: say one, as in IdentityFile ~/.ssh/id_ed25519",
    ),
    "Include": ("Include ~/.ssh/config\n", ":1: Include can't be followed here"),
    "no value": ("Host core-01\n  HostName\n", ":2: HostName without a value"),
    "a quotation mark": ('Host core-01\n  IdentityFile "x\n', ":2: a quotation mark is missing"),
    "OpenSSH without a machine": ("Host core-01\n  HostName 10.0.0.1\n", ": does not say where core-02 and core-03 is"),
    "OpenSSH port": (
        "".join(f"Host core-0{n}\n  HostName 10.0.0.{n}\n  Port ssh\n  IdentityFile id\n" for n in (1, 2, 3)),
        ":3: core-01: port must be a whole number from 1 to 65535, not 'ssh'",
    ),
    "OpenSSH host by its alias": (
        "".join(f"Host core-0{n}\n  IdentityFile id\n" for n in (1, 2, 3)),
        ":1: core-01: core-01 is no IPv4 address",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str, home: Path) -> None:
    text, words = MISTAKES[name]
    said = complaint(home, text)
    assert said.startswith(words.replace("{home}", str(home))), said


def test_not_text(home: Path) -> None:
    assert complaint(home, TOML.encode() + b'user = "\xff"\n') == ":11: is not UTF-8 text"


def test_keys_that_ssh_would_refuse(home: Path) -> None:
    (home / "id").chmod(0o644)
    assert complaint(home, TOML) == (
        f":4: core-01: key {home}/id: others may read it, so SSH refuses it: chmod 600 {home}/id"
    )
    (home / "id").chmod(0o600)
    (home / "id").write_text(PUBLIC)
    assert complaint(home, TOML) == f":4: core-01: key {home}/id: is no private key"


def test_files_that_are_none(home: Path) -> None:
    def said(file: Path | None) -> str:
        with pytest.raises(BadInput) as caught:
            read_hosts(Settings(state=home, engine_cache=home, backend="ssh", hosts=file))
        return str(caught.value)

    assert said(None).startswith("the backend ssh needs --hosts FILE (RWK_HOSTS), which says [core-01] with host")
    assert said(home / "nowhere") == f"{home}/nowhere: No such file or directory"
    assert said(home) == f"{home}: Is a directory"
    assert said(Path(os.devnull)) == "/dev/null: is no regular file"
