"""Hosts that are somebody's are never switched."""

from __future__ import annotations

from pathlib import Path

import pytest

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.login import Login
from rwk_tui.lab.ssh.hosts import Host
from rwk_tui.lab.ssh.switch import SshSwitch


def switch() -> SshSwitch:
    return SshSwitch({"core-01": Host(Login("one.example.com", 2222, "me", (Path("/key"),)), "10.0.0.11")})


async def test_nothing_is_switched() -> None:
    opened = switch()
    assert not opened.owns_power
    await opened.start("core-01")
    await opened.stop("core-01")
    await opened.destroy("core-01")
    with pytest.raises(LabError, match="core-01: these hosts are somebody's: their power is not cut"):
        await opened.kill("core-01")
    assert await opened.look("core-01") is None
    assert await opened.exists() == {}
    await opened.close()


async def test_where_it_is() -> None:
    opened = switch()
    assert str(await opened.login("core-01")) == "one.example.com:2222"
    assert opened.address("core-01") == "10.0.0.11"


def test_there_is_no_power_cut() -> None:
    assert switch().lacks("power cut") == (
        "these hosts are somebody's: their power is not cut; halt stops what runs of ours"
    )
    assert switch().lacks("packet loss") == ""


def test_words() -> None:
    opened = switch()
    assert opened.show("stop", "core-01") == '''ssh core-01 "sudo systemctl stop 'rwk-*'"'''
    assert opened.show_on("sudo ss -K", "core-01") == 'ssh core-01 "sudo ss -K"'
