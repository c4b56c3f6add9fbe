"""Tests side by side: what shares a lab stays together, at most two Kubernetes at a time, and how long it all takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.schedule import (
    FAILED,
    KUBERNETES_AT_ONCE,
    Schedule,
    Unit,
    estimate,
    groups_of,
    in_order,
    plain,
    write_durations,
)

UNITS = [
    Unit("short", ("short",), 1),
    Unit("shared.py", ("shared.py::a", "shared.py::b"), 20),
    Unit("k/one.py", ("k/one.py::a", "k/one.py::b"), 50, kubernetes=True),
    Unit("long", ("long",), 30),
    Unit("k/two", ("k/two",), 40, kubernetes=True),
    Unit("k/three", ("k/three",), 30, kubernetes=True),
    Unit("k/four", ("k/four",), 25, kubernetes=True),
]


def test_kubernetes_is_dealt_out_evenly_to_as_many_workers_as_may_have_one() -> None:
    groups = groups_of(UNITS)
    kubernetes = [test for unit in UNITS if unit.kubernetes for test in unit.tests]
    shares = {groups[test] for test in kubernetes}
    assert len(shares) == KUBERNETES_AT_ONCE
    seconds = {share: sum(u.seconds for u in UNITS if u.kubernetes and groups[u.tests[0]] == share) for share in shares}
    assert sorted(seconds.values()) == [70, 75]


def test_a_module_s_tests_that_share_a_lab_go_to_one_worker_and_others_anywhere() -> None:
    groups = groups_of(UNITS)
    assert groups["shared.py::a"] == groups["shared.py::b"] == "shared.py"
    assert groups["k/one.py::a"] == groups["k/one.py::b"]
    assert not {"short", "long"} & groups.keys()


def test_what_takes_longest_begins_first_and_each_test_runs_once() -> None:
    order = in_order(UNITS)
    assert sorted(order) == sorted(test for unit in UNITS for test in unit.tests)
    assert order[-4:] == ["long", "shared.py::a", "shared.py::b", "short"]


@pytest.mark.parametrize(
    ("chains", "workers", "seconds"),
    [({}, 4, 0), ({"a": 10, "b": 10, "c": 10, "d": 10}, 4, 10), ({"a": 30, "b": 10}, 4, 30), ({"a": 5, "b": 7}, 1, 12)],
)
def test_a_run_takes_as_long_as_its_work_or_its_longest_chain(
    chains: dict[str, float], workers: int, seconds: float
) -> None:
    assert estimate(chains, workers) == seconds


def test_a_test_is_known_without_the_group_that_is_written_behind_it() -> None:
    assert plain("a.py::test@kubernetes-1") == "a.py::test"
    assert plain("a.py::test[x]@a.py") == "a.py::test[x]"
    assert plain("a.py::test[fault:kill@leader]") == "a.py::test[fault:kill@leader]"


def test_durations_are_noted_and_those_of_tests_that_are_gone_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = tmp_path / "tests" / "durations.json"
    known.parent.mkdir()
    (known.parent / "test_a.py").write_text("def test_kept(): ...\ndef test_anew(): ...\n")
    monkeypatch.setattr("support.schedule.KNOWN", known)
    old = {"tests/test_a.py::test_kept[x]": 2.0, "tests/test_a.py::test_gone": 3.0, "tests/test_b.py::test_kept": 4.0}
    write_durations(old, {"tests/test_a.py::test_anew": 5.04, "tests/test_a.py::test_quick": 0.2})
    assert known.read_text() == '{\n"tests/test_a.py::test_anew": 5.0,\n"tests/test_a.py::test_kept[x]": 2.0\n}\n'


@pytest.mark.process
def test_a_run_on_workers_tells_an_estimate_first_and_the_slowest_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from support.schedule import Schedule\n"
        "def pytest_addoption(parser): parser.addoption('--write-durations', action='store_true')\n"
        "def pytest_configure(config): config.pluginmanager.register(Schedule(config), 'schedule')\n"
    )
    (tmp_path / "test_many.py").write_text(
        "import os, pytest\n"
        "@pytest.mark.one_lab\n@pytest.mark.parametrize('n', range(6))\n"
        "def test_shared(n): open('pids', 'a').write(f'{os.getpid()}\\n')\n"
        "@pytest.mark.parametrize('n', range(20))\ndef test_alone(n): pass\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-n", "3", "--dist", "loadgroup", "--no-loadscope-reorder"]
    support = Path(__file__).parent
    run = subprocess.run(
        [*words, "-p", "no:cacheprovider", "-c", "/dev/null", f"--rootdir={tmp_path}", str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(support), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "26 tests on 3 workers: about " in run.stdout
    assert "slowest 20 tests" in run.stdout
    assert run.stdout.count(" s  test_many.py::") == 20
    assert len(set((tmp_path / "pids").read_text().split())) == 1, "they ran in several workers"


def test_a_failure_in_a_teardown_is_noted_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv(FAILED, str(tmp_path / "failed.json"))
    schedule = Schedule(request.config)
    monkeypatch.delattr(request.config, "workerinput", raising=False)
    for when in ("call", "teardown"):
        report = pytest.TestReport(f"a.py::{when}", ("a.py", 1, when), {}, "failed", None, when)
        schedule.pytest_runtest_logreport(report)
    schedule.pytest_sessionfinish()
    assert json.loads((tmp_path / "failed.json").read_text()) == ["a.py::call", "teardown of a.py::teardown"]
