"""What every backend promises about the presenter's desk, profiles, and programs that come while the lab runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.lab import PROGRAMS, cut_power, dial_at, output, serve

from rwk_tui.lab.protocol import Lab, LabError, MachineDown, Place, UnitSpec

pytestmark = pytest.mark.process


def places(lab: Lab) -> list[Place]:
    return [lab.desk, *lab.machines.values()]


async def printed(place: Place, word: str = "$WORD", environment: dict[str, str] | None = None) -> str:
    """What the shell there makes of a word."""
    code, out, err = await output(await place.run(["sh", "-c", f'echo "{word}"'], environment=environment))
    assert (code, err) == (0, [])
    return out[0]


async def test_the_desk_reaches_every_machine_whatever_is_cut(lab: Lab) -> None:
    one = lab.machines["core-01"]
    await serve(one)
    for link in lab.links:
        await link.cut()
    host, port = await one.reach(8000)
    assert await dial_at(lab.desk, f"http://{host}:{port}") == "core-01 hello"
    assert await dial_at(lab.desk, one.url(8000)) == "core-01 hello"
    await cut_power(lab, one.name)
    assert await printed(lab.desk, "still here") == "still here"


async def test_the_desk_has_the_programs_and_a_place_of_its_own(lab: Lab) -> None:
    assert lab.desk.name not in lab.machines
    code, out, _ = await output(await lab.desk.run(["python3", "-c", "import sys; print(sys.version_info[0])"]))
    assert (code, out) == (0, ["3"])
    assert await printed(lab.desk, "$HOME") == await printed(lab.desk, "$PWD") != str(Path.home())
    with pytest.raises(LabError, match="no-such-program"):
        await lab.desk.run(["no-such-program"])
    assert lab.desk.show_run(["etcdctl", "get", "a b"], {"E": "1"}) == "env E=1 etcdctl get 'a b'"


async def test_what_runs_at_the_desk_ends_with_the_lab(opener: Callable[[], Lab]) -> None:
    lab = opener()
    await lab.up()
    try:
        run = await lab.desk.run(["sh", "-c", "echo $$; sleep 1000 & sleep 1000"])
        await anext(aiter(run))
        await lab.reset()
        assert await run.wait() != 0
        again = await lab.desk.run(["sleep", "1000"])
    finally:
        await lab.leave()
    assert await again.wait() != 0


async def test_a_reset_empties_the_desk_but_not_the_backups(lab: Lab) -> None:
    (Path(lab.backups) / "kept").write_text("x")
    assert await (await lab.desk.run(["sh", "-c", "mkdir -p a && echo x >a/b && echo x >.hidden"])).wait() == 0
    await lab.desk.set_profile({"WORD": "lost"})
    await lab.reset()
    code, out, _ = await output(await lab.desk.run(["ls", "-A"]))
    assert (code, out) == (0, [])
    assert await printed(lab.desk) == ""
    assert (Path(lab.backups) / "kept").exists()


async def test_a_profile_is_in_every_command_of_its_place_and_nowhere_else(lab: Lab) -> None:
    for place in places(lab):
        await place.set_profile({"WORD": f"of {place.name}", "OTHER": "x"})
    for place in places(lab):
        assert await printed(place) == f"of {place.name}"
        assert await printed(place, environment={"WORD": "given"}) == "given", "what is given there and then wins"
        assert "WORD" not in place.show_run(["env"])
        assert "E=1" in place.show_run(["env"], {"E": "1"})
        await place.set_profile({"WORD": "new"})
        assert await printed(place, "$WORD$OTHER") == "new", "they replace those before"

    unit = lab.machines["core-01"].unit("tell")
    await unit.configure(UnitSpec("tell", ("sh", "-c", 'echo "word: $WORD."; sleep 1000')))
    await unit.start()
    async with asyncio.timeout(10):
        async for line in unit.log(follow=True):
            assert line == "word: ."
            break


async def test_a_profile_lasts_as_long_as_its_disk(opener: Callable[[], Lab]) -> None:
    lab = opener()
    await lab.up()
    one = lab.machines["core-01"]
    for place in places(lab):
        await place.set_profile({"WORD": "kept"})
    await cut_power(lab, one.name)
    with pytest.raises(MachineDown):
        await one.set_profile({})
    await lab.down()

    again = opener()
    await again.up()
    try:
        assert [await printed(place) for place in places(again)] == ["kept"] * 4
        await again.machines["core-01"].destroy()
        await again.machines["core-01"].start()
        assert await printed(again.machines["core-01"]) == ""
        assert await printed(again.machines["core-02"]) == "kept"
    finally:
        await again.leave()


def script(directory: Path, name: str, words: str) -> Path:
    """A program that prints these words."""
    directory.mkdir(exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/sh\necho {words}\n")
    file.chmod(0o755)
    return file


async def test_programs_come_while_the_lab_runs(lab: Lab, tmp_path: Path) -> None:
    napping = UnitSpec("nap", ("sleep", "1000"))
    unit = lab.machines["core-01"].unit("nap")
    await unit.configure(napping)
    await unit.start()
    old = script(tmp_path / "old", "engine", "the old one")
    new = script(tmp_path / "new", "engine", "the new one")
    lab.provide({**PROGRAMS, "engine-3.6/engine": old, "engine": new})
    for place in places(lab):
        for argv, words in (
            (["engine-3.6/engine"], "the old one"),
            (["engine"], "the new one"),
            (["sh", "-c", "engine"], "the new one"),
        ):
            assert await output(await place.run(argv)) == (0, [words], [])
        assert "engine-3.6/engine get x" in place.show_run(["engine-3.6/engine", "get", "x"])
    assert (await unit.status()).state == "running"

    versioned = UnitSpec("old", ("engine-3.6/engine",))
    await lab.machines["core-01"].unit("old").configure(versioned)
    await lab.machines["core-01"].unit("old").start()
    assert "engine-3.6/engine" in lab.machines["core-01"].unit("old").show("start")

    lab.provide({"python3": Path(sys.executable)})
    for place in places(lab):
        for name in ("engine", "engine-3.6/engine"):
            with pytest.raises(LabError, match=name):
                await place.run([name])
