"""What is known of the members, for operations that change who they are."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.board.board import Board
from rwk_tui.board.rows import MemberRow
from rwk_tui.cluster.members import Live, Member
from rwk_tui.cluster.reshape import Knowledge
from rwk_tui.watch.answers import Etcd


def knowledge(board: Board, live: Live) -> Knowledge:
    """What the board knows of the members, and how to ask a living one."""

    def member_id(name: str) -> str:
        return next((row.id for row in board.rows(MemberRow) if name in (row.name, row.machine)), "")

    def peers() -> dict[str, str]:
        return {row.name or row.machine: row.peer_urls[0] for row in board.rows(MemberRow) if row.peer_urls}

    return Knowledge(member_id, peers, live)


async def members_of(client: Etcd) -> Sequence[Member]:
    """The member list as that member knows it, which it tells without a quorum too. Raises EtcdError."""
    return [Member(m.id, m.name, m.peer_urls, m.client_urls, m.learner) for m in await client.members()]
