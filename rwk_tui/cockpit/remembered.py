"""What is worked out of thousands of rows, kept until one of them changes: no paint walks past all pods for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import KubeEventRow, PodRow
from rwk_tui.board.rows import Row
from rwk_tui.cockpit import marks

T = TypeVar("T")


class Remembered(Generic[T]):
    """`work` done on a board, and done anew only when rows of that kind came, changed or went."""

    def __init__(self, kind: type[Row], work: Callable[[Board], T]) -> None:
        self._kind = kind
        self._work = work
        self._known: WeakKeyDictionary[Board, tuple[int, T]] = WeakKeyDictionary()

    def __call__(self, board: Board) -> T:
        changes = board.changes(self._kind)
        known = self._known.get(board)
        if known is None or known[0] != changes:
            known = self._known[board] = (changes, self._work(board))
        return known[1]


Tally = dict[str, dict[marks.Cell, int]]


def _tally(board: Board) -> Tally:
    counts: Tally = {}
    for pod in board.all_of(PodRow):
        of_node = counts.get(pod.node)
        if of_node is None:
            of_node = counts[pod.node] = {}
        cell = marks.cell_of(pod)
        of_node[cell] = of_node.get(cell, 0) + 1
    return counts


def _groups(key: Callable[[PodRow], str]) -> Callable[[Board], dict[str, tuple[PodRow, ...]]]:
    def group(board: Board) -> dict[str, tuple[PodRow, ...]]:
        found: dict[str, list[PodRow]] = {}
        for pod in board.rows(PodRow):
            found.setdefault(key(pod), []).append(pod)
        return {name: tuple(pods) for name, pods in found.items()}

    return group


def _about(board: Board) -> dict[str, tuple[KubeEventRow, ...]]:
    found: dict[str, list[KubeEventRow]] = {}
    for event in sorted(board.all_of(KubeEventRow), key=lambda event: event.at, reverse=True):
        found.setdefault(event.about, []).append(event)
    return {key: tuple(events) for key, events in found.items()}


pod_tally = Remembered(PodRow, _tally)
"""How many pods of which kind of cell each node has; those without a node are under ""."""
pods_by_node = Remembered(PodRow, _groups(lambda pod: pod.node))
"""The pods of each node, by name."""
pods_by_owner = Remembered(PodRow, _groups(lambda pod: f"{pod.namespace}/{pod.owner}"))
"""The pods of each owner ("default/web"), by name."""
events_about = Remembered(KubeEventRow, _about)
"""Kubernetes' own events by the key of the row they are about, newest first."""
