"""A leader hands over: what is asked again, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from rwk_tui.cluster.handover import HandOver
from rwk_tui.cluster.ops import OpResult, Tell

LATE = OpResult(1, "", "Error: etcdserver: request timed out, leader transfer took too long")
SILENT = OpResult(1, "", "Error: context deadline exceeded")
DONE = OpResult(0, "Leadership transferred")


@dataclass
class Raft:
    """Who leads, and what it answers to each request to hand over: a result, and who leads after it."""

    answers: list[tuple[OpResult, str]]
    leader: str = "core-01"
    asked: int = 0
    machine: str = "core-01"
    notes: list[str] = field(default_factory=list)

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        return "etcdctl move-leader 1f"

    async def run(self, tell: Tell) -> OpResult:
        result, self.leader = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return result

    async def hand_over(self, deadline: float = 5.0) -> OpResult:
        op = HandOver(self, "core-02", lambda: self.leader, deadline, pause=0.0)
        assert (op.machine, op.command()) == ("core-01", "etcdctl move-leader 1f")
        return await op.run(lambda stream, text: self.notes.append(text))


async def test_an_answer_is_the_end() -> None:
    raft = Raft([(DONE, "core-02")])
    assert (await raft.hand_over()).exit_code == 0
    assert (raft.asked, raft.notes) == (1, [])


@pytest.mark.parametrize("nothing", [LATE, SILENT])
async def test_while_the_same_one_leads_it_is_asked_again(nothing: OpResult) -> None:
    raft = Raft([(nothing, "core-01"), (nothing, "core-01"), (DONE, "core-02")])
    assert (await raft.hand_over()).exit_code == 0
    assert raft.asked == 3 and raft.notes == ["core-01 still leads: asking again"] * 2


async def test_what_happened_without_an_answer_is_seen() -> None:
    raft = Raft([(SILENT, "core-02")])
    assert (await raft.hand_over()).exit_code == 0
    assert raft.asked == 1 and raft.notes == ["no answer in time, but core-02 leads now"]


async def test_while_nobody_is_seen_to_lead_it_is_waited_for_and_not_asked() -> None:
    raft = Raft([(SILENT, "")])
    looks = iter(["core-01", "", "", "core-02"])  # who leads at each look
    op = HandOver(raft, "core-02", lambda: next(looks), 5.0, pause=0.0)
    assert (await op.run(lambda stream, text: None)).exit_code == 0
    assert raft.asked == 1


async def test_a_refusal_another_leader_and_the_deadline_end_it() -> None:
    refused = Raft([(OpResult(1, "", "Error: etcdserver: not leader"), "core-01")])
    elsewhere = Raft([(LATE, "core-03")])
    late = Raft([(LATE, "core-01")])
    ends = [(refused, 5.0), (elsewhere, 5.0), (late, 0.0)]
    assert [(await raft.hand_over(deadline)).exit_code for raft, deadline in ends] == [1, 1, 1]
    assert [raft.asked for raft in (refused, elsewhere, late)] == [1, 1, 1]
