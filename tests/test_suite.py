"""The command behind make check, test and ci: what it takes, and what it hands to the parts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import suite
from support.leftovers import Leftovers


@pytest.mark.parametrize("given", [[], ["all"], ["check", "spelling"], ["test", "types"], ["ci", "tests"]])
def test_what_is_not_known_is_one_line_and_nothing_runs(
    given: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suite.run", lambda *_: pytest.fail("a part was run"))
    assert suite.main(given) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "suite: say check, test or ci; check has the parts format, lint, imports, types and tests\n"


@pytest.mark.process
def test_a_part_that_fails_fails_the_whole_and_its_output_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Leftovers, "found", lambda _: [])  # other tests of this run listen meanwhile
    monkeypatch.setattr(suite, "BIN", Path(sys.executable).parent)
    monkeypatch.setattr(suite, "STATIC", {"good": ["python", "-c", ""], "bad": ["python", "-c", "exit('no good')"]})
    assert suite.main(["check", "good", "bad"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "no good" in lines
    assert [line.split()[0] + " " + line.split()[-1] for line in lines if " s  " in line][:2] == [
        "good ok",
        "bad FAILED",
    ]
    assert suite.main(["check", "good"]) == 0


def test_parts_keep_bytecode_and_their_files_in_a_directory_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    given = suite.environment_of(Leftovers(tmp_path))
    assert "PYTHONDONTWRITEBYTECODE" not in given
    assert Path(given["PYTHONPYCACHEPREFIX"]).is_relative_to(suite.ROOT / ".pytest_cache")
    assert given["TMPDIR"] == str(tmp_path)


@pytest.mark.parametrize(
    ("failed", "again"),
    [
        ([], False),
        (["tests/real/test_a.py::test_x"], True),
        (["tests/real/test_a.py::test_x"] * suite.AGAIN, True),
        (["tests/real/test_a.py::test_x"] * (suite.AGAIN + 1), False),
        (["tests/real/test_a.py::test_x", "tests/board/test_b.py::test_y"], False),
        (["teardown of tests/real/test_a.py::test_x"], False),
    ],
)
def test_only_a_few_tests_on_real_engines_are_run_once_more(failed: list[str], again: bool) -> None:
    assert suite.may_run_again(failed) is again


@pytest.mark.process
@pytest.mark.parametrize(
    ("alone", "words"), [("pass", "passed only when nothing ran beside"), ("fail", "failed alone too")]
)
def test_what_fails_beside_others_is_run_alone_and_that_is_said(
    alone: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = tmp_path / "tests" / "real" / "test_busy.py"
    test.parent.mkdir(parents=True)
    test.write_text(
        "import os\ndef test_it(): assert '" + alone + "' == 'pass' and 'PYTEST_XDIST_WORKER' not in os.environ\n"
    )
    (tmp_path / "conftest.py").write_text(
        "from support.schedule import Schedule\n"
        "def pytest_addoption(parser): parser.addoption('--write-durations', action='store_true')\n"
        "def pytest_configure(config): config.pluginmanager.register(Schedule(config), 'schedule')\n"
    )
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    (tmp_path / "run" / "tmp").mkdir(parents=True)
    given = {
        "PYTHONPATH": str(Path(suite.__file__).parent),
        "TMPDIR": str(tmp_path / "run" / "tmp"),
        "PATH": "/usr/bin:/bin",
    }
    part = suite.on_engines("tests", "not ci", given)
    assert part.code == (alone == "fail")
    assert part.notes == (f"{words}: tests/real/test_busy.py::test_it",)
