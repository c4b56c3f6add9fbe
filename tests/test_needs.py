"""A test that starts a process or binds an address without saying so fails, and is told where it did that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CONFTEST = """
from support.needs import Needs

def pytest_configure(config):
    config.pluginmanager.register(Needs(config.rootpath), "needs")
    config.addinivalue_line("markers", "process: starts one")
"""
PREAMBLE = """
import asyncio, os, socket, subprocess, sys, threading
import pytest
"""
CALM = """
@pytest.mark.process
def test_this(): subprocess.run([sys.executable, "-c", ""])

async def nothing(): pass

def test_other():
    asyncio.run(nothing())
    socket.socketpair()
"""
STARTS = {
    "run": 'def test_this(): subprocess.run([sys.executable, "-c", ""])',
    "system": 'def test_this(): os.system("true")',
    "missing": """
def test_this():
    with pytest.raises(FileNotFoundError): subprocess.run(["/nowhere/at all"])
""",
    "thread": """
def bind():
    with socket.socket() as bound: bound.bind(("127.0.0.1", 0))
def test_this():
    thread = threading.Thread(target=bind)
    thread.start()
    thread.join()
""",
    "unix socket": """
def test_this(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as bound: bound.bind("here")
""",
    "server": """
async def serve():
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    server.close()
def test_this(): asyncio.run(serve())
""",
    "fixture": """
@pytest.fixture
def bound():
    with socket.create_server(("127.0.0.1", 0)) as it: yield it
def test_this(bound): pass
""",
    "teardown": """
@pytest.fixture
def late():
    yield
    subprocess.run([sys.executable, "-c", ""])
def test_this(late): pass
""",
    "an earlier test's fixture": """
@pytest.fixture(scope="module")
def bound():
    with socket.create_server(("127.0.0.1", 0)) as it: yield it
@pytest.mark.process
def test_first(bound): pass
def test_this(bound): pass
""",
}


def outcome(directory: Path, test: str) -> tuple[int, str]:
    """How pytest ends on a file with that test, and what it says."""
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "test_it.py").write_text(PREAMBLE + test)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider",
         "--rootdir", ".", "-o", f"pythonpath={TESTS}", "-c", "/dev/null"],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.process
@pytest.mark.parametrize("test", STARTS.values(), ids=STARTS)
def test_an_unmarked_test_that_starts_or_binds_something_fails(tmp_path: Path, test: str) -> None:
    code, said = outcome(tmp_path, test)
    assert code == 1, said
    assert "test_this" in said and "@pytest.mark.process" in said
    assert "1 failed" in said or "1 error" in said


@pytest.mark.process
def test_a_marked_one_and_one_that_does_not_pass(tmp_path: Path) -> None:
    code, said = outcome(tmp_path, CALM)
    assert code == 0, said


@pytest.mark.process
def test_the_line_is_named(tmp_path: Path) -> None:
    code, said = outcome(tmp_path, STARTS["run"])
    assert code == 1
    assert "starts a process (subprocess.Popen" in said and " at test_it.py:4\n" in said, said
