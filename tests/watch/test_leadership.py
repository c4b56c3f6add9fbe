"""Who leads over time, where one history of etcd takes the place of another."""

from __future__ import annotations

from rwk_tui.board.hub import Hub
from rwk_tui.board.rows import QuorumRow
from rwk_tui.watch.expected import Expected
from rwk_tui.watch.leadership import Leadership


class Lead:
    """A leadership that is told who leads."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.leadership = Leadership(self.hub, Expected(self.hub.now))

    def sees(self, leader: str, term: int) -> None:
        now = self.hub.now()
        row = QuorumRow(seen_at=now, state="healthy", voters=3, needed=2, reachable=3, leader=leader, term=term)
        self.leadership.follow({"quorum": row}, now)

    def undecided(self) -> bool:
        return self.leadership.undecided

    @property
    def told(self) -> list[str]:
        return [event.text for event in self.hub.board.events if event.kind in ("leader", "election")]


def test_another_leader_in_an_old_term_is_undecided_until_its_term_is_reported() -> None:
    lead = Lead()
    lead.sees("core-01", 3)
    lead.sees("core-02", 3)
    assert lead.undecided()
    lead.sees("core-02", 4)
    assert not lead.undecided()
    assert len(lead.told) == 2 and "in term 4" in lead.told[1]


def test_a_cluster_that_is_set_up_anew_has_terms_of_its_own() -> None:
    lead = Lead()
    lead.sees("core-01", 3)
    lead.leadership.may_begin_anew()
    lead.sees("core-02", 2)
    assert not lead.undecided()
    assert lead.told[-1] == "core-02 leads etcd in term 2"
    lead.sees("core-03", 2)
    assert lead.undecided(), "only the first leader of the new one is taken at its word"


def test_a_new_history_with_the_same_leader_is_no_election() -> None:
    lead = Lead()
    lead.sees("core-01", 3)
    lead.leadership.may_begin_anew()
    lead.sees("core-01", 2)
    assert lead.told[-1] == "core-01 leads etcd in term 2"
    assert lead.leadership.elections == []


def test_an_election_in_a_higher_term_is_one_whatever_may_have_begun_anew() -> None:
    lead = Lead()
    lead.sees("core-01", 3)
    lead.leadership.may_begin_anew()
    lead.sees("core-02", 4)
    assert [one.leader for one in lead.leadership.elections] == ["core-02"]
    lead.sees("core-03", 4)
    assert lead.undecided(), "from then on this history is the one that goes on"
