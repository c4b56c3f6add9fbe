"""`play --install` as a new user types it: an empty cache, the wheel's etcd, and a server on loopback that has more."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.engines_fake import ARCH, Mirror, archive, digest, serving
from support.programs import environment, one_line

from rwk_tui.engines.find import Engine
from rwk_tui.engines.pins import engine_pins
from rwk_tui.engines.verdict import minor_of

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.fixture
def variables(tmp_path: Path, state: Path, subnet: int) -> Mapping[str, str]:
    """A home, a lab and a cache in which there is nothing yet; neither Go nor a registry is in reach."""
    return environment(
        tmp_path,
        RWK_STATE=str(state),
        RWK_SUBNET=str(subnet),
        RWK_ENGINE_CACHE=str(tmp_path / "cache"),
        PIP_NO_INDEX="1",
    )


def start(variables: Mapping[str, str], mirror: Mirror, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rwk_tui", "play", *words, "--install", "--json"],
        env={**variables, "RWK_MIRRORS_ETCD": mirror.url},
        cwd=variables["HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Wait for its end; what it was, and the lines that it printed."""
    try:
        out, err = process.communicate(timeout=150)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err), [
        json.loads(line) for line in out.splitlines()
    ]


def serve_etcd(mirror: Mirror, engines: Mapping[str, Engine]) -> str:
    """Have the mirror serve the etcd that these tests run on; the path of its archive."""
    version = engines["etcd"].version
    pin = engine_pins()[f"etcd-{minor_of(version)}"]
    assert version == pin.version, f"these tests need the etcd that is pinned, {pin.version}, and found {version}"
    words = {"version": version, "system": "linux", "arch": ARCH}
    path = pin.release.files["linux"].format(**words)
    members = {
        pin.release.member.format(program=name, **words): engine.path.read_bytes() for name, engine in engines.items()
    }
    body = mirror.files[f"/{path}"] = archive(members)
    sums = pin.release.sums.format(file=path, version=version)
    mirror.files[f"/{sums}"] = f"{digest(body)}  {path.rpartition('/')[2]}\n".encode()
    return f"/{path}"


def ended(lines: list[dict[str, Any]], chapter: str) -> list[str]:
    return [line["status"] for line in lines if line.get("chapter") == chapter]


def test_a_lab_that_runs_takes_up_an_etcd_that_was_got_for_the_next_chapter(
    variables: Mapping[str, str], engines: dict[str, Engine]
) -> None:
    with serving() as mirror:
        serve_etcd(mirror, engines)
        process, lines = finish(start(variables, mirror, "01-hosts", "05-bootstrap"))
    assert (process.returncode, process.stderr) == (0, "")
    assert [line["plan"]["engines"][0]["before"] for line in lines[:1]] == ["05-bootstrap"]
    installs = [number for number, line in enumerate(lines) if "install" in line]
    hosts = [number for number, line in enumerate(lines) if line.get("chapter") == "01-hosts"]
    assert max(hosts) < min(installs), "it is got no sooner than it is needed"
    assert (lines[installs[-1]]["install"]["state"], lines[installs[-1]]["install"]["done"]) == ("ready", 1.0)
    assert set(ended(lines, "05-bootstrap")) == {"passed"}, "on the wheel's etcd three of its steps are skipped"


def test_without_a_network_it_says_why_and_tells_what_can_be_told(variables: Mapping[str, str]) -> None:
    with serving() as mirror:
        process, lines = finish(start(variables, mirror, "05-bootstrap", "08-api-server"))
    why = one_line(process)
    assert why.startswith("rwk-tui: etcd 3.7 could not be got: download: ")
    assert "404" in why
    assert "go: " in why
    assert process.returncode == 1
    assert set(ended(lines, "05-bootstrap")) == {"passed", "skipped"}
    assert set(ended(lines, "08-api-server")) == {"skipped"}
    assert lines[-1]["summary"]["failed"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_an_install_and_everything_with_it(
    number: signal.Signals, variables: Mapping[str, str], engines: dict[str, Engine], tmp_path: Path
) -> None:
    with serving() as mirror:
        mirror.stalls[serve_etcd(mirror, engines)] = 1_000_000
        process = start(variables, mirror, "02-etcd-single")
        assert process.stdout is not None
        try:
            while "install" not in json.loads(line := process.stdout.readline() or "{}"):
                assert line != "{}", process.stderr and process.stderr.read()
            wait_for(lambda: not mirror.stalls, "the download has come to where it stalls")
            assert list((tmp_path / "cache").glob(".build-*")), "it is at work"
            process.send_signal(number)
            process.wait(30)
            err = process.stderr.read() if process.stderr else ""
        finally:
            process.kill()
            process.communicate()
    assert (process.returncode, err) == (128 + number, "")
    assert not list((tmp_path / "cache").glob(".build-*"))
    assert not Path(variables["RWK_STATE"], "socket").exists()
    assert not [one.info for one in psutil.process_iter(["pid", "cmdline"]) if _of(one, str(tmp_path))]


def wait_for(holds: Callable[[], bool], what: str, within: float = 60.0) -> None:
    until = time.monotonic() + within
    while not holds():
        assert time.monotonic() < until, f"not within {within:g} s: {what}"
        time.sleep(0.05)


def _of(process: psutil.Process, home: str) -> bool:
    """Whether a process was started from that home and has not ended."""
    try:
        return process.environ().get("HOME") == home and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False
