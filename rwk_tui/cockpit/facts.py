"""What present mode shows of a board, as far as a change of it is news."""

from __future__ import annotations

from rwk_tui.board.board import Board
from rwk_tui.board.rows import CanaryRow, QuorumRow
from rwk_tui.cockpit.changes import Facts
from rwk_tui.cockpit.views.kube_figures import kube_counts, kube_runs
from rwk_tui.cockpit.views.state import fault_words, newest_faults


def facts_of(board: Board) -> Facts:
    """The facts by the names of their places on the screen."""
    story, quorum = board.story, board.get(QuorumRow, "quorum")
    facts: dict[str, object] = {
        "step": (story.chapter, story.step),
        "faults": tuple(fault_words(row) for row in newest_faults(board)),
        "writes": tuple((row.name, row.state) for row in board.rows(CanaryRow)),
        "news": board.events[-1].id if board.events else 0,
    }
    if kube_runs(board):
        counts = kube_counts(board)
        facts |= {"nodes": (counts.ready, counts.nodes), "pods": (counts.running, counts.pods)}
    if quorum is not None:
        facts |= {
            "leader": quorum.leader,
            "term": quorum.term,
            "quorum": (quorum.state, quorum.reachable, quorum.voters),
        }
    return facts
