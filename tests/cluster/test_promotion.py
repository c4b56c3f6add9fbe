"""A learner gets its vote: what is asked again, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from rwk_tui.cluster.ops import OpResult, Tell
from rwk_tui.cluster.promotion import Promotion

LATE = OpResult(1, "", "Error: etcdserver: request timed out, waiting for the applied index took too long")
SILENT = OpResult(1, "", "Error: context deadline exceeded")
VOTER = OpResult(1, "", "Error: etcdserver: can only promote a learner member")
UNKNOWN_MEMBER = OpResult(1, "", "Error: etcdserver: member not found")
DONE = OpResult(0, "Member 1f promoted in cluster 2a")


@dataclass
class Etcd:
    """What it answers to each request to promote; the last answer stays."""

    answers: list[OpResult]
    asked: int = 0
    machine: str = "core-01"
    notes: list[str] = field(default_factory=list)

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        return "etcdctl member promote 1f"

    async def run(self, tell: Tell) -> OpResult:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]

    async def promote(self, deadline: float = 5.0) -> OpResult:
        op = Promotion(self, deadline, pause=0.0)
        assert (op.machine, op.command()) == ("core-01", "etcdctl member promote 1f")
        return await op.run(lambda stream, text: self.notes.append(text))


@pytest.mark.parametrize("answer", [DONE, UNKNOWN_MEMBER, VOTER])
async def test_an_answer_is_the_end(answer: OpResult) -> None:
    etcd = Etcd([answer])
    assert await etcd.promote() == answer
    assert (etcd.asked, etcd.notes) == (1, [])


@pytest.mark.parametrize("nothing", [LATE, SILENT])
async def test_without_an_answer_it_is_asked_again(nothing: OpResult) -> None:
    etcd = Etcd([nothing, nothing, DONE])
    assert await etcd.promote() == DONE
    assert (etcd.asked, etcd.notes) == (3, ["no answer in time: asking again"] * 2)


async def test_what_was_done_without_an_answer_counts() -> None:
    etcd = Etcd([LATE, VOTER])
    assert (await etcd.promote()).exit_code == 0
    assert etcd.notes[-1] == "it has got its vote meanwhile"


async def test_it_is_not_asked_for_ever() -> None:
    etcd = Etcd([LATE])
    assert await etcd.promote(deadline=0.05) == LATE
    assert etcd.asked > 1
