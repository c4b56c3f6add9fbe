"""Host keys: taken once, in OpenSSH's format, private, and forgotten one machine at a time."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest
from support.remote_ssh import private

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.pins import Pins

KEY, OTHER = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" + letter * 20 for letter in "xy")


@pytest.fixture
def pins(tmp_path: Path) -> Pins:
    return Pins(tmp_path / "lab" / "known_hosts")


def test_a_machine_is_known_by_the_key_that_was_taken_last(pins: Pins) -> None:
    assert pins.of("core-01") == ()
    pins.take("core-01", KEY + " a comment\n")
    pins.take("core-02", OTHER)
    assert (pins.of("core-01"), pins.of("core-02")) == ((KEY,), (OTHER,))
    pins.take("core-01", OTHER)
    assert Pins(pins.file).of("core-01") == (OTHER,)


def test_forgetting_a_machine_leaves_the_others(pins: Pins) -> None:
    pins.forget("core-01")
    assert not pins.file.exists()
    pins.take("core-01", KEY)
    pins.take("core-02", OTHER)
    pins.forget("core-01")
    assert (pins.of("core-01"), pins.of("core-02")) == ((), (OTHER,))


def test_the_file_is_private_and_openssh_reads_it(pins: Pins) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    pins.take("core-01", key)
    assert private(pins.file)
    assert private(pins.file.parent)
    trusted, *_ = asyncssh.read_known_hosts(str(pins.file)).match("core-01", "", None)
    assert [found.export_public_key("openssh").split()[1].decode() for found in trusted] == [key.split()[1]]


def test_comments_and_blank_lines_do_no_harm(pins: Pins) -> None:
    pins.take("core-01", KEY)
    pins.file.write_text(f"\n# mine\ncore-01 {KEY}\n\n")
    assert pins.of("core-01") == (KEY,)


@pytest.mark.parametrize("content", [b"core-01\n", b"\xff\xfe"])
def test_a_damaged_file_is_named(pins: Pins, content: bytes) -> None:
    pins.take("core-01", KEY)
    pins.file.write_bytes(content)
    with pytest.raises(LabError, match="known_hosts"):
        pins.of("core-01")


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("a file")
    with pytest.raises(LabError, match="host keys"):
        Pins(tmp_path / "lab" / "known_hosts").take("core-01", KEY)
