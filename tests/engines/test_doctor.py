"""The doctor says what is wrong, and what to do about it."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path

import pytest

from rwk_tui.engines.doctor import Finding, examine_here, print_doctor
from rwk_tui.settings import Settings

pytestmark = pytest.mark.process


def finding(settings: Settings, what: str) -> Finding:
    return next(found for found in examine_here(settings) if found.what == what)


def test_all_is_well_here(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_doctor(settings) == 0
    printed = capsys.readouterr().out
    assert "✗" not in printed
    for what in ("python", "etcd", "etcdctl", "etcdutl", "state", "socket", "loopback", "ports", "terminal"):
        assert f" {what} " in printed


def test_a_taken_port_names_its_holder(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    import os

    with socket.socket() as other:
        # Connections of an earlier test on this address may still be on their way out.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((f"127.1.{settings.subnet}.102", 2379))
        other.listen()
        found = finding(settings, "ports")
        assert not found.good
        assert f"127.1.{settings.subnet}.102:2379 is taken by" in found.text
        assert f"(pid {os.getpid()})" in found.text
        assert "RWK_SUBNET" in found.advice
        assert print_doctor(settings) == 1
    assert finding(settings, "ports").good
    assert "the lab can't start" in capsys.readouterr().out


def test_a_state_directory_that_others_can_read_is_said(settings: Settings) -> None:
    settings.state.mkdir(parents=True)
    settings.state.chmod(0o755)
    assert "chmod 700" in finding(settings, "state").advice
    settings.state.chmod(0o700)
    assert finding(settings, "state").advice == ""


def test_a_state_directory_below_a_file_can_not_be(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wrong = Settings(state=tmp_path / "file" / "lab", engine_cache=settings.engine_cache)
    found = finding(wrong, "state")
    assert not found.good
    assert "--state DIR" in found.advice


def test_missing_engines_keep_the_lab_from_starting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_doctor(Settings(state=tmp_path, engine_cache=tmp_path / "cache", engines=tmp_path)) == 1
    assert "has no etcd" in capsys.readouterr().out


def test_machines_that_vagrant_makes_need_vagrant_and_no_address_of_ours(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = dataclasses.replace(settings, backend="vagrant")

    def found() -> Finding:
        by_name = {finding.what: finding for finding in examine_here(machines)}
        assert not {"loopback", "ports", "setpriv"} & by_name.keys()
        return by_name["vagrant"]

    monkeypatch.setenv("PATH", str(tmp_path))
    assert (found().good, found().text, found().needed) == (False, "not on PATH", True)
    fake = tmp_path / "vagrant"
    fake.write_text("#!/bin/sh\necho Vagrant 2.4.9\n")
    fake.chmod(0o755)
    assert (found().good, found().text) == (True, f"Vagrant 2.4.9 ({fake})")
    fake.write_text("#!/bin/sh\necho no Ruby here >&2; exit 1\n")
    assert (found().good, found().text) == (False, f"no Ruby here ({fake})")
    assert "provider" in found().advice


def test_one_address_and_many_ports(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        # Connections of an earlier test on this address may still be on their way out.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = Settings(
            state=settings.state, engine_cache=settings.engine_cache, addresses="ports", base_port=taken - 3
        )
        found = finding(ports, "ports")
        assert not found.good
        assert str(taken) in found.text
