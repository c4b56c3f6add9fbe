"""What a run of the tests leaves behind is found, whatever it is, and nothing else is taken for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support import leftovers as module
from support.leftovers import Leftovers
from support.subnets import base_port, free_subnet

pytestmark = pytest.mark.process

LISTEN = """
import socket, sys, time
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listens", flush=True)
time.sleep(60)
"""


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leftovers:
    """What begins now has a directory of its own; other tests on this computer go on meanwhile."""
    spaces = tmp_path / "netns"
    spaces.mkdir()
    monkeypatch.setattr(module, "GRACE", 0.5)
    monkeypatch.setattr(module, "NAMESPACES", spaces)
    directory = tmp_path / "run"
    directory.mkdir()
    return Leftovers(directory)


def test_a_process_and_its_port_a_namespace_and_a_file_are_found_until_they_are_gone(left: Leftovers) -> None:
    with free_subnet() as subnet:
        assert left.found() == []
        listens = subprocess.Popen(
            [sys.executable, "-c", LISTEN, f"127.0.{subnet}.1", str(base_port(subnet))],
            env={**os.environ, **left.environment},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            assert listens.stdout is not None and listens.stdout.readline() == b"listens\n"
            (left.directory / "rwk-state").mkdir()
            (module.NAMESPACES / "rwk-x").touch()
            process, *rest = left.found()
            assert process.startswith(f"process {listens.pid} ")
            assert rest == [
                f"port 127.0.{subnet}.1:{base_port(subnet)}",
                "namespace rwk-x",
                f"file {left.directory}/rwk-state",
            ]
        finally:
            listens.kill()
            listens.communicate()
        (module.NAMESPACES / "rwk-x").unlink()
        (left.directory / "rwk-state").rmdir()
        assert left.found() == []


def test_what_others_do_meanwhile_is_not_ours(left: Leftovers) -> None:
    words = [sys.executable, "-c", "input()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as other, socket.create_server(("127.0.0.1", 0)):
        assert left.found() == []
        other.communicate(b"\n")
