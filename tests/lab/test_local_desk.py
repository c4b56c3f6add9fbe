"""What only the local lab's desk, profiles and programs can get wrong."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from support.lab import PROGRAMS, local_settings, output

from rwk_tui.lab.host.programs import Programs
from rwk_tui.lab.host.show import WIDTH, run
from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.protocol import LabError
from rwk_tui.settings import Settings


@pytest.fixture
def here(tmp_path: Path, subnet: int) -> Settings:
    return local_settings(tmp_path / "state", subnet=subnet)


@pytest.mark.process
async def test_the_desk_is_closed_with_the_lab_and_opens_with_it(here: Settings) -> None:
    lab = LocalLab(here, PROGRAMS)
    assert await (await lab.desk.run(["true"])).wait() == 0, "nothing has to be up for it"
    for start in (lab.up, lab.reset):
        await start()
        assert await (await lab.desk.run(["true"])).wait() == 0
        await lab.down()
        with pytest.raises(LabError, match="the lab is down"):
            await lab.desk.run(["true"])


@pytest.mark.process
async def test_a_profile_on_a_full_disk_or_in_a_damaged_file_is_one_line(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = LocalLab(here, {})
    try:
        await lab.up()
        for place, directory in ((lab.desk, "desk"), (lab.machines["core-01"], "machines/core-01/etc")):
            await place.set_profile({"WORD": "before"})

            def full(*_: object) -> None:
                raise OSError(28, "No space left on device")

            with monkeypatch.context() as patch:
                patch.setattr(Path, "replace", full)
                with pytest.raises(LabError, match="No space left on device"):
                    await place.set_profile({"WORD": "after"})
            assert await output(await place.run(["sh", "-c", "echo $WORD"])) == (0, ["before"], [])

            (file,) = (here.state / "lab" / directory).glob("*profile.json")
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            file.write_text("{")
            with pytest.raises(LabError, match=rf"{file.name} is damaged"):
                await place.run(["true"])
            await place.set_profile({})
            assert await (await place.run(["true"])).wait() == 0
    finally:
        await lab.down()


async def test_a_desk_that_was_half_removed_is_cleaned_up(here: Settings) -> None:
    away = here.state / "lab" / ".gone-x"
    await LocalLab(here, {}).down()
    away.mkdir()
    (away / "rest").write_text("x")
    await LocalLab(here, {}).down()
    assert not away.exists()


def test_a_shell_finds_what_was_given_whatever_else_lies_beside_it(tmp_path: Path) -> None:
    def program(directory: str, name: str) -> Path:
        (tmp_path / directory).mkdir(exist_ok=True)
        file = tmp_path / directory / name
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
        return file

    kubectl, old_etcd, etcd = program("tools", "kubectl"), program("tools", "etcd"), program("etcd-3.7", "etcd")
    programs = Programs({"kubectl": kubectl, "etcd-3.6/etcd": program("etcd-3.6", "etcd"), "etcd": etcd})
    assert programs.path.split(":")[:3] == [str(etcd.parent), str(kubectl.parent), "/usr/local/bin"]
    assert "etcd-3.6" not in programs.path
    assert programs.find("etcd-3.6/etcd", tmp_path, "") == str(tmp_path / "etcd-3.6" / "etcd")
    assert programs.find("tools/etcd", tmp_path, "") == str(old_etcd), "a path below the directory"
    for name in ("etcd-3.5/etcd", "no-such-program"):
        with pytest.raises(LabError, match=f"there is no program {name} on core-01"):
            programs.find(name, tmp_path, "on core-01")
    programs.provide({"etcd": old_etcd})
    assert programs.find("etcd", tmp_path, "") == str(old_etcd)
    assert programs.path.split(":")[:2] == [str(old_etcd.parent), "/usr/local/bin"]


def test_what_the_presenter_types_names_no_machine() -> None:
    assert run(["kubectl", "get", "nodes"], None) == "kubectl get nodes"
    long = run(["kubectl"], {f"NAME_{n}": "x" * 40 for n in range(4)})
    assert long.startswith("env \\\n") and max(map(len, long.splitlines())) <= WIDTH
    assert "#" not in long
