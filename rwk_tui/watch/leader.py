"""Whom to believe: which cluster is the one to show, and who leads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from rwk_tui.watch.answers import Status


@dataclass(frozen=True, slots=True)
class Belief:
    """A leader that a majority of the voters follows: member ID and term."""

    leader: str
    term: int


def majority(voters: int) -> int:
    """How many of so many voters are a majority."""
    return voters // 2 + 1


def believe(living: Iterable[Status], voters: Collection[str]) -> Belief | None:
    """The leader to believe in, or None.

    A member that was cut off or frozen goes on claiming leadership for a while, so the claim with the highest term
    counts, and only if a majority of all voters, living or not, names the same leader. Their terms may differ for a
    moment: etcd reports a new leader before the new term.
    """
    claims = [status for status in living if status.leader]
    if not claims or not voters:
        return None
    term = max(status.term for status in claims)
    newest = {status.leader for status in claims if status.term == term}
    following = Counter(status.leader for status in claims if status.leader in newest and status.member_id in voters)
    for leader, count in following.most_common(1):
        if count >= majority(len(voters)):
            return Belief(leader, term)
    return None


def main_cluster(living: Mapping[str, Status], present: str) -> str:
    """The ID of the cluster to show when members of several answer: the one most live in, the present one on a tie."""
    count = Counter(status.cluster_id for status in living.values())
    if not count:
        return present
    best = max(count.values())
    if count.get(present, 0) == best:
        return present
    return min(cluster for cluster, members in count.items() if members == best)


def largest_group(alive: Collection[str], cut: Collection[tuple[str, str]]) -> int:
    """How many of the machines `alive` can talk to one another, given the links that are cut (source, target)."""
    best, left = 0, set(alive)
    while left:
        group, edge = set[str](), [left.pop()]
        while edge:
            here = edge.pop()
            group.add(here)
            near = {there for there in left if (here, there) not in cut and (there, here) not in cut}
            left -= near
            edge.extend(near)
        best = max(best, len(group))
    return best
