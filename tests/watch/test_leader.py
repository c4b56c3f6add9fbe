"""Whom to believe when members contradict each other."""

from __future__ import annotations

from support.watch_etcd import IDS, status

from rwk_tui.watch.leader import Belief, believe, largest_group, main_cluster, majority

VOTERS = set(IDS.values())


def test_a_leader_that_a_majority_follows_is_believed() -> None:
    living = [status("core-01", "core-01", 3), status("core-02", "core-01", 3)]
    assert believe(living, VOTERS) == Belief("a1", 3)


def test_the_highest_term_counts_and_the_old_leader_is_not_believed() -> None:
    living = [status("core-01", "core-01", 3), status("core-02", "core-02", 4), status("core-03", "core-02", 4)]
    assert believe(living, VOTERS) == Belief("b2", 4)


def test_a_new_leader_is_believed_though_one_member_does_not_report_the_new_term_yet() -> None:
    living = [status("core-02", "core-02", 4), status("core-03", "core-02", 3)]
    assert believe(living, VOTERS) == Belief("b2", 4)


def test_a_lonely_claim_is_no_leader() -> None:
    assert believe([status("core-01", "core-01", 3)], VOTERS) is None


def test_a_lonely_claim_with_the_highest_term_makes_nobody_leader() -> None:
    living = [status("core-01", "core-01", 9), status("core-02", "core-02", 4), status("core-03", "core-02", 4)]
    assert believe(living, VOTERS) is None


def test_a_learner_s_opinion_is_no_vote() -> None:
    living = [status("core-01", "core-01", 3), status("core-03", "core-01", 3, learner=True)]
    assert believe(living, {"a1", "b2"}) is None


def test_two_voters_need_each_other() -> None:
    assert [majority(number) for number in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]


def test_the_largest_group_follows_the_open_links() -> None:
    names = {"core-01", "core-02", "core-03"}
    cut = {("core-01", "core-02"), ("core-01", "core-03")}
    assert largest_group(names, set()) == 3
    assert largest_group(names, cut) == 2
    assert largest_group(names, cut | {("core-02", "core-03")}) == 1
    assert largest_group(set(), cut) == 0


def test_the_cluster_that_most_members_live_in_is_shown() -> None:
    living = {"core-01": status("core-01", "core-01", cluster_id="x"), "core-02": status("core-02", "core-02")}
    assert main_cluster(living, "x") == "x"
    living["core-03"] = status("core-03", "core-02")
    assert main_cluster(living, "x") == "cafe"
    assert main_cluster({}, "x") == "x"
