"""Which test runs beside which, how long all of them will take, and which took longest.

Most tests wait rather than compute, so a run has more workers than cores (pytest-xdist, `--dist loadgroup`). What took
longest in an earlier run begins first. Tests marked `one_lab` share a lab with the others of their module and run one
after the other; those marked `kubernetes` start a whole Kubernetes, of which at most `KUBERNETES_AT_ONCE` run at once.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KUBERNETES_AT_ONCE = 2
"""Each takes 0.6 GB of memory and, while it starts, more than one core."""
SLOWEST = 20
USUAL = 0.15
"""Seconds: what a test is taken for that no earlier run knows."""
KNOWN = Path(__file__).parents[1] / "durations.json"
"""Seconds of each test that took longer than `NOTED`, set-up included, in a parallel run on two cores."""
NOTED = 1.0
FAILED = "RWK_TEST_FAILED"
"""Environment variable that names a file for the names of the tests that failed, as a list of JSON."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Tests that run one after the other in one worker, and how long (s) they should take together."""

    name: str
    tests: tuple[str, ...]
    seconds: float
    kubernetes: bool = False


def shares(units: Iterable[Unit], number: int) -> list[list[Unit]]:
    """Deal units out into that many shares of about the same length, the longest unit first in each."""
    dealt: list[list[Unit]] = [[] for _ in range(number)]
    for unit in sorted(units, key=lambda unit: (-unit.seconds, unit.name)):
        min(dealt, key=lambda share: sum(one.seconds for one in share)).append(unit)
    return dealt


def groups_of(units: Sequence[Unit]) -> dict[str, str]:
    """The group of each test that is in one; tests of a group go to the same worker."""
    found: dict[str, str] = {}
    dealt = shares((unit for unit in units if unit.kubernetes), KUBERNETES_AT_ONCE)
    for number, share in enumerate(dealt, 1):
        found |= {test: f"kubernetes-{number}" for unit in share for test in unit.tests}
    for unit in units:
        if not unit.kubernetes and len(unit.tests) > 1:
            found |= dict.fromkeys(unit.tests, unit.name)
    return found


def in_order(units: Sequence[Unit]) -> list[str]:
    """Every test, the shares of Kubernetes first and then the longest unit first."""
    dealt = shares((unit for unit in units if unit.kubernetes), KUBERNETES_AT_ONCE)
    rest = sorted((unit for unit in units if not unit.kubernetes), key=lambda unit: -unit.seconds)
    return [test for unit in [*(unit for share in dealt for unit in share), *rest] for test in unit.tests]


def estimate(chains: Mapping[str, float], workers: int) -> float:
    """Seconds that these chains of tests take on that many workers: never less than the longest."""
    return max(sum(chains.values()) / max(workers, 1), max(chains.values(), default=0.0))


def plain(test: str) -> str:
    """The name of a test without the group that xdist writes behind it."""
    head, at, group = test.rpartition("@")
    return head if at and "]" not in group else test


def known_durations() -> dict[str, float]:
    """Seconds by test, as far as an earlier run wrote them down."""
    found: dict[str, float] = json.loads(KNOWN.read_text("utf-8")) if KNOWN.exists() else {}
    return found


class Schedule:
    """Orders and groups the tests in each worker, and tells of the whole in the process that started the workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._known = known_durations()
        self._took: dict[str, float] = defaultdict(float)
        self._failed: dict[str, None] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if not hasattr(self._config, "workerinput"):
            return  # one after the other, as they stand
        units = self._units(items)
        groups, places = groups_of(units), {test: place for place, test in enumerate(in_order(units))}
        for item in items:
            if group := groups.get(item.nodeid):
                item.add_marker(pytest.mark.xdist_group(group))
        items.sort(key=lambda item: places[item.nodeid])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if "kube_engines" in getattr(item, "fixturenames", ()) and item.get_closest_marker("kubernetes") is None:
            pytest.fail("it asks for the engines of Kubernetes: mark it as kubernetes", pytrace=False)

    def _units(self, items: Iterable[pytest.Item]) -> list[Unit]:
        tests: dict[str, list[pytest.Item]] = defaultdict(list)
        for item in items:
            shared = item.get_closest_marker("one_lab") is not None
            tests[item.nodeid.partition("::")[0] if shared else item.nodeid].append(item)
        return [
            Unit(
                name,
                tuple(item.nodeid for item in some),
                sum(self._known.get(item.nodeid, USUAL) for item in some),
                kubernetes=some[0].get_closest_marker("kubernetes") is not None,
            )
            for name, some in tests.items()
        ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        if node.gateway.id != "gw0":
            return
        chains: dict[str, float] = defaultdict(float)
        for test in ids:
            name = plain(test)
            chains[test[len(name) :] or name] += self._known.get(name, USUAL)
        workers = int(self._config.getoption("numprocesses") or 1)
        self._say(f"{len(ids)} tests on {workers} workers: about {in_minutes(estimate(chains, workers))}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._took[plain(report.nodeid)] += report.duration
        if report.failed:
            # What was left behind is found in a teardown: to run the test once more would prove nothing about that.
            what = "teardown of " if report.when == "teardown" else ""
            self._failed[what + plain(report.nodeid)] = None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        slowest = sorted(self._took.items(), key=lambda one: -one[1])[:SLOWEST]
        if len(self._took) > SLOWEST:
            terminalreporter.section(f"slowest {SLOWEST} tests")
            for test, seconds in slowest:
                terminalreporter.write_line(f"{seconds:7.1f} s  {test}")

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workerinput"):
            return
        if place := os.environ.get(FAILED):
            Path(place).write_text(json.dumps(list(self._failed)), "utf-8")
        if self._config.getoption("write_durations"):
            write_durations(self._known, self._took)

    def _say(self, line: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(line)


def write_durations(known: Mapping[str, float], took: Mapping[str, float]) -> None:
    """Write down how long tests took; those that did not run now keep what is known of them, if they still exist."""
    kept = {test: seconds for test, seconds in known.items() if test not in took and _exists(test)}
    noted = {test: round(seconds, 1) for test, seconds in took.items() if seconds >= NOTED}
    KNOWN.write_text(json.dumps(kept | noted, indent=0, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def _exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = KNOWN.parents[1] / path
    return file.exists() and f"def {name.partition('[')[0]}(" in file.read_text("utf-8")


def in_minutes(seconds: float) -> str:
    """A length of time in words."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
