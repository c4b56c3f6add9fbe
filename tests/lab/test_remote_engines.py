"""Programs that machines get when they first need them; the machine here is a directory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.agent import Done
from rwk_tui.lab.remote.engines import Engines, MachineEngines

pytestmark = pytest.mark.process


def install(file: Path, path: str, sha256: str) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, path)


def links() -> list[Path]:
    """What is on the machine's PATH."""
    return [path for path in Path(layout.BIN).rglob("*") if path.is_symlink()]


class Directory:
    """A machine whose commands run here."""

    name = "core-01"

    def __init__(self) -> None:
        self.uploads: list[str] = []
        self.commands = 0
        self.on_upload: Callable[[], None] = lambda: None

    async def exec(self, *argv: str, within: float = 30.0) -> Done:
        self.commands += 1
        process = await asyncio.create_subprocess_exec(
            *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), within)
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    async def upload(self, file: Path, path: str, sha256: str) -> None:
        install(file, path, sha256)
        self.uploads.append(file.name)
        self.on_upload()


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directory:
    for name in ("BIN", "ENGINES", "DISK"):
        monkeypatch.setattr(layout, name, str(tmp_path / "there" / name.lower()))
    return Directory()


def program(directory: Path, name: str, words: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/sh\necho {words}\n")
    file.chmod(0o755)
    return file


async def says(there: Directory, name: str) -> str:
    return (await there.exec(f"{layout.BIN}/{name}")).out.strip()


async def test_what_is_run_is_brought_once(tmp_path: Path, there: Directory) -> None:
    engines = Engines(
        {"etcd": program(tmp_path / "a", "etcd", "new"), "kubectl": program(tmp_path / "a", "kubectl", "k")}
    )
    told: list[tuple[str, str]] = []
    engines.tell = lambda machine, line: told.append((machine, line))
    machine = MachineEngines(engines, there)
    for _ in range(3):
        await machine.bring(["etcd", "--version"])
    assert there.uploads == ["etcd"]
    assert await says(there, "etcd") == "new"
    assert told == [("core-01", "gets etcd (1 MB)")]

    later = MachineEngines(engines, there)
    await later.bring(["etcd"])
    assert there.uploads == ["etcd"], "what is there from an earlier run is found"


async def test_contact_that_is_made_anew_meanwhile_means_to_look_again(tmp_path: Path, there: Directory) -> None:
    machine = MachineEngines(Engines({"etcd": program(tmp_path, "etcd", "x")}), there)

    def another_machine() -> None:
        there.on_upload = lambda: None
        shutil.rmtree(Path(layout.ENGINES).parent)
        machine.forget()

    there.on_upload = another_machine
    await machine.bring(["etcd"])
    assert there.uploads == ["etcd", "etcd"]
    assert await says(there, "etcd") == "x"


async def test_nothing_is_asked_of_the_machine_when_nothing_changed(tmp_path: Path, there: Directory) -> None:
    machine = MachineEngines(Engines({"etcd": program(tmp_path, "etcd", "x")}), there)
    await machine.bring(["etcd"])
    before = there.commands
    await machine.bring(["etcd"])
    await machine.bring(["sleep", "1"])
    assert there.commands == before


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        (["etcd"], ["etcd"]),
        (["etcd-3.6/etcd"], ["etcd-3.6/etcd"]),
        (["etcd", "etcdctl"], ["etcd"]),
        (["sh", "-c", "exec etcdctl get x | grep etcd"], ["etcd", "etcdctl"]),
        (["python3", "-c", "run(['etcdctl'])"], ["etcdctl"]),
        (["sh", "-c", "etcd-3.6/etcd; my-etcd --etcdctl2"], ["etcd"]),
        (["sleep", "10"], []),
    ],
)
def test_what_a_command_needs(argv: list[str], names: list[str]) -> None:
    engines = Engines({name: Path("x") for name in ("etcd", "etcdctl", "etcd-3.6/etcd")})
    assert engines.needed(argv) == names


async def test_a_name_means_what_it_was_last_given_as(tmp_path: Path, there: Directory) -> None:
    old, new = program(tmp_path / "old", "etcd", "old"), program(tmp_path / "new", "etcd", "new")
    engines = Engines({"etcd": old})
    machine = MachineEngines(engines, there)
    await machine.bring(["etcd"])
    engines.provide({"etcd": new, "etcd-3.6/etcd": old})
    await machine.bring(["etcd"])
    await machine.bring(["etcd-3.6/etcd"])
    assert (await says(there, "etcd"), await says(there, "etcd-3.6/etcd")) == ("new", "old")
    assert there.uploads == ["etcd", "etcd"], "the old one was there already"


async def test_a_file_that_changes_in_place_is_brought_anew(tmp_path: Path, there: Directory) -> None:
    file = program(tmp_path, "etcd", "one")
    machine = MachineEngines(Engines({"etcd": file}), there)
    await machine.bring(["etcd"])
    os.utime(program(tmp_path, "etcd", "two"), (1, 1))
    await machine.bring(["etcd"])
    assert await says(there, "etcd") == "two"


async def test_what_is_given_no_more_is_no_more_on_the_path(tmp_path: Path, there: Directory) -> None:
    engines = Engines({"etcd": program(tmp_path, "etcd", "x"), "etcd-3.6/etcd": program(tmp_path, "etcd", "x")})
    machine = MachineEngines(engines, there)
    await machine.bring(["etcd"])
    await machine.bring(["etcd-3.6/etcd"])
    assert len(links()) == 2
    engines.provide({})
    await machine.bring(["sleep"])
    assert links() == []


async def test_programs_are_found_by_name_by_path_or_not_at_all(tmp_path: Path, there: Directory) -> None:
    machine = MachineEngines(Engines({"etcd": program(tmp_path, "etcd", "x")}), there)
    assert await machine.find("etcd") == f"{layout.BIN}/etcd"
    assert await machine.find("sh") in ("/usr/bin/sh", "/bin/sh")
    assert await machine.find("/bin/sh") == "/bin/sh"
    assert await machine.find("no-such-program") is None
    assert await machine.find("tools/mine") is None
    mine = program(Path(layout.DISK) / "tools", "mine", "x")
    assert await machine.find("tools/mine") == str(mine)


async def test_a_file_that_is_gone_is_one_line(tmp_path: Path, there: Directory) -> None:
    machine = MachineEngines(Engines({"etcd": tmp_path / "gone"}), there)
    with pytest.raises(LabError, match=r"can't read .*gone: No such file") as refused:
        await machine.bring(["etcd"])
    assert "\n" not in str(refused.value)
