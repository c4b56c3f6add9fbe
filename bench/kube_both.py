"""One clock for both: what kubectl prints as it watches, and what a real cockpit has painted."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping

from harness import Terminal
from screen import Screen

WORDS = ("running", "not ready", "starting", "pending", "terminating", "failed", "succeeded")
PODS = re.compile(rf"(\d+) (?:were )?({'|'.join(WORDS)})")
NODE = re.compile(r"(?:no node|core-\d\d|[\w.-]+)\s+[●✗?‖◫∅] ")
EARLY, LATE = 1.0, 3.0
"""Seconds before and after kubectl within which a change must be painted to count."""
Series = list[tuple[float, Hashable]]
"""What was seen, and when it began (monotonic, s)."""


class Kubectl:
    """`kubectl get -w`; `take` makes of each printed line what is to be seen now."""

    def __init__(self, argv: tuple[str, ...], environment: Mapping[str, str], take: Callable[[str], Hashable]) -> None:
        self.seen: Series = []
        self._take = take
        self._rest = b""
        self._process = subprocess.Popen(argv, env=dict(environment), stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._file = self._process.stdout.fileno()
        os.set_blocking(self._file, False)
        asyncio.get_running_loop().add_reader(self._file, self._read)

    def _read(self) -> None:
        now = time.monotonic()
        data = os.read(self._file, 65536)
        if not data:
            asyncio.get_running_loop().remove_reader(self._file)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            add(self.seen, now, self._take(line.decode()))

    def close(self) -> None:
        """End it."""
        asyncio.get_running_loop().remove_reader(self._file)
        self._process.kill()
        self._process.communicate()


class Painted:
    """The cockpit's screen; `looks` make of it what is to be seen, by name."""

    def __init__(self, terminal: Terminal, looks: Mapping[str, Callable[[list[str]], Hashable]]) -> None:
        self.screen = Screen()
        self.seen: dict[str, Series] = {name: [] for name in looks}
        self._looks = looks
        self._terminal = terminal
        self.screen.feed(terminal.text)
        asyncio.get_running_loop().add_reader(terminal.master, self._read)

    def _read(self) -> None:
        now = time.monotonic()
        self.screen.feed(os.read(self._terminal.master, 262144))
        lines = kubernetes_pane(self.screen.lines())
        for name, look in self._looks.items():
            add(self.seen[name], now, look(lines))

    def close(self) -> None:
        """Look no more."""
        asyncio.get_running_loop().remove_reader(self._terminal.master)


def add(series: Series, at: float, what: Hashable) -> None:
    """Note what is seen if it is something else than before."""
    if not series or series[-1][1] != what:
        series.append((at, what))


def kubernetes_pane(lines: list[str]) -> list[str]:
    """The lines of the Kubernetes pane, wherever it stands."""
    for number, line in enumerate(lines):
        at = line.find("╭─ Kubernetes")
        if at >= 0:
            inside = [below[at + 1 :] for below in lines[number + 1 :]]
            end = next((n for n, below in enumerate(lines[number + 1 :]) if below[at : at + 1] == "╰"), len(inside))
            return [line.rstrip(" │") for line in inside[:end]]
    return []


def pods_of(lines: list[str]) -> Hashable:
    """How many pods are painted, by state."""
    counts: Counter[str] = Counter()
    for line in lines:
        if NODE.match(line.strip()):
            counts.update({word: int(count) for count, word in PODS.findall(line)})
    return frozenset(counts.items())


class PodLines:
    """The pods as `kubectl get pods -w -o wide --output-watch-events --no-headers` tells them."""

    def __init__(self) -> None:
        self._pods: dict[str, str] = {}

    def take(self, line: str) -> Hashable:
        """How many pods there are by state, with that line."""
        event, name, ready, status, *rest = line.split()
        if event == "DELETED":
            self._pods.pop(name, None)
        else:
            placed = any(word.startswith("core-") for word in rest)
            self._pods[name] = _state(status, ready, placed)
        return frozenset(Counter(self._pods.values()).items())


def _state(status: str, ready: str, placed: bool) -> str:
    if status == "Terminating":
        return "terminating"
    if status == "Running":
        return "running" if ready == "1/1" else "not ready"
    return "starting" if placed else "pending"


def delays(told: Series, painted: Series, since: float) -> tuple[list[tuple[Hashable, float]], int]:
    """For each thing told after `since` the seconds until it was painted, or what came after it; how many never were.

    Negative where the cockpit was first. What is told soon recurs, so each thing painted counts once, in its order: a
    state that was never painted by itself counts as painted with the next one, and not when it recurs.
    """
    found: list[tuple[Hashable, float]] = []
    missed, at = 0, sum(moment < since for moment, _ in painted)
    for number, (when, what) in enumerate(told):
        if when < since:
            continue
        after = {state for moment, state in told[number:] if moment - when <= LATE}
        near = range(at, len(painted))
        index = next((n for n in near if painted[n][1] in after and -EARLY <= painted[n][0] - when <= LATE), None)
        if index is None:
            missed += 1
            continue
        found.append((what, painted[index][0] - when))
        at = index + (painted[index][1] == what)
    return found, missed
