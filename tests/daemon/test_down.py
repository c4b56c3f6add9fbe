"""`rwk-tui down` where no daemon runs, but machines may that an earlier one left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.vagrant_fake import FakeVagrant

from rwk_tui.board.targets import MACHINES
from rwk_tui.daemon.up import run_down
from rwk_tui.settings import Settings

pytestmark = pytest.mark.process


def left(state: Path, power: str) -> Settings:
    """Settings of a lab whose three machines exist and are believed to be so."""
    lab = state / "lab"
    for name in MACHINES:
        machine = lab / "vagrant" / ".vagrant" / "machines" / name / "libvirt"
        machine.mkdir(parents=True)
        (machine / "id").write_text("1234")
    for directory in (state, lab):
        directory.chmod(0o700)
    (lab / ".rwk-lab").touch()
    (lab / "machines.json").write_text(json.dumps({name: {"power": power, "since": 1.0} for name in MACHINES}))
    return Settings(state=state, engine_cache=state, backend="vagrant")


def test_machines_that_were_left_running_are_halted(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeVagrant(tmp_path / "fake", monkeypatch)
    assert run_down(left(state, "up")) == 0
    printed = capsys.readouterr()
    assert printed.out == "the lab is halted\n"
    assert "halting core-01, core-02 and core-03 up" in printed.err
    assert sorted(call for call in fake.calls if call.startswith("halt")) == [f"halt {name}" for name in MACHINES]


def test_where_all_are_halted_there_is_nothing_to_do(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeVagrant(tmp_path / "fake", monkeypatch)
    assert run_down(left(state, "halted")) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"no lab runs in {state}\n", "")
    assert [call for call in fake.calls if not call.startswith("status")] == []
