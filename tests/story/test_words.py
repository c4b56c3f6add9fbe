"""What a check expects is told as a sentence."""

from __future__ import annotations

import pytest

from rwk_tui.story.convert import convert
from rwk_tui.story.schema import CHECKS, Part
from rwk_tui.story.words import in_words


@pytest.mark.parametrize(
    ("verb", "given", "sentence"),
    [
        (
            "members",
            {"voters": ["core-01", "core-02"], "learners": ["core-03"], "healthy": 3},
            "core-01 and core-02 vote, core-03 learns, 3 are healthy",
        ),
        (
            "members",
            {"voters": ["core-01"], "learners": [], "healthy": 1},
            "core-01 votes, nobody is a learner, 1 is healthy",
        ),
        ("leader", {"who": "core-01"}, "core-01 leads"),
        ("leader", {"other_than": "core-01"}, "a leader other than core-01"),
        ("leader", {"who": "none"}, "there is no leader"),
        ("quorum", {"state": "lost"}, "no majority is there"),
        ("key", {"name": "good", "value": "1", "via": "core-02"}, "core-02 answers: good is 1"),
        ("key", {"name": "good", "value": None, "via": "core-02"}, "core-02 answers: no good"),
        ("key", {"name": "good", "via": "core-01", "answers": False}, "core-01 can't answer for good"),
        (
            "key",
            {"name": "good", "value": "1", "via": "core-01", "read": "serializable"},
            "core-01 answers without asking the others: good is 1",
        ),
        ("serving", {"on": ["core-01", "core-02", "core-03"]}, "core-01, core-02 and core-03 serve"),
        ("machine", {"on": "core-01", "power": "gone"}, "core-01 is gone with its disk"),
        ("machine", {"on": ["core-01", "core-02"], "power": "off"}, "core-01 and core-02 are without power"),
        ("unit", {"on": "core-02", "state": "stopped"}, "etcd on core-02 is stopped"),
        ("writes", {"state": "flowing"}, "writes flow"),
        ("gap", {"above_ms": 1000}, "the gap in the writes is longer than 1 s"),
        ("gap", {"below_ms": 500}, "the gap in the writes is shorter than 500 ms"),
        ("lost", {"most": 0}, "no acknowledged writes lost"),
        ("output", {"contains": ["a", "b"]}, "the command says “a” and “b”"),
        ("hashes", {"equal": ["core-01", "core-02"]}, "core-01 and core-02 store the same"),
    ],
)
def test_a_check_is_a_sentence(verb: str, given: dict[str, object], sentence: str) -> None:
    assert in_words(convert(given, CHECKS[verb], ())) == sentence


def test_every_kind_of_check_has_words() -> None:
    class Unknown(Part, frozen=True, kw_only=True):
        pass

    with pytest.raises(TypeError):
        in_words(Unknown())
