"""What a check expects is told as a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from rwk_tui.settings import Settings
from rwk_tui.story.convert import convert
from rwk_tui.story.load import load_chapters
from rwk_tui.story.schema import CHECKS, Part
from rwk_tui.story.words import in_words, kube_words


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
        ("machine", {"on": ["core-01", "core-02"], "power": "gone"}, "core-01 and core-02 are gone with their disks"),
        (
            "unit",
            {"on": "core-02", "state": "running", "restarted": False},
            "etcd on core-02 is running without a restart",
        ),
        ("unit", {"on": "core-02", "state": "running", "restarted": True}, "etcd on core-02 is running anew"),
        ("aftermath", {"backup": "before"}, "exactly the writes after the backup are gone"),
        ("aftermath", {}, "what is gone is counted"),
        ("new-certificates", {"on": "core-01"}, "core-01 shows a new certificate to who connects now"),
        (
            "new-certificates",
            {"on": ["core-01", "core-02"]},
            "core-01 and core-02 show new certificates to who connects now",
        ),
        ("output", {"contains": ["a", "b"]}, "the command says “a” and “b”"),
        ("hashes", {"equal": ["core-01", "core-02"]}, "core-01 and core-02 store the same"),
        ("api", {"on": "core-01"}, "the API server of core-01 is ready"),
        (
            "api",
            {"on": ["core-01", "core-02"], "state": "unready"},
            "the API servers of core-01 and core-02 are unready",
        ),
        ("api", {"on": "core-02", "state": "down"}, "the API server of core-02 is down"),
        ("nodes", {"ready": ["core-02"]}, "core-02 is ready"),
        (
            "nodes",
            {"ready": ["core-01", "core-02"], "not_ready": ["core-03"]},
            "core-01 and core-02 are ready, core-03 is not ready",
        ),
        ("nodes", {"ready": []}, "nodes can be listed"),
        ("pods", {"of": "web", "running": 10}, "10 pods of web run"),
        ("pods", {"of": "web", "running": 1}, "1 pod of web runs"),
        ("pods", {"of": "web", "terminating": 5, "on": "core-03"}, "5 pods of web terminate on core-03"),
        (
            "pods",
            {"of": "web", "running": 2, "pending": 1, "not_on": "core-03"},
            "2 pods of web run, 1 pod of web waits elsewhere than on core-03",
        ),
        ("pods", {"of": "web"}, "pods of web can be listed"),
        ("deployment", {"name": "web", "wanted": 6, "ready": 4}, "web wants 6 pods and has 4 ready"),
        ("deployment", {"name": "web", "wanted": 1}, "web wants 1 pod"),
        ("deployment", {"name": "web"}, "web exists"),
        ("deployment", {"name": "web", "exists": False}, "there is no deployment web"),
        ("lease", {"name": "kube-scheduler", "holder": "core-02"}, "core-02 holds the lease of kube-scheduler"),
        (
            "lease",
            {"name": "kube-controller-manager", "other_than": "core-01"},
            "somebody other than core-01 holds the lease of kube-controller-manager",
        ),
        ("lease", {"name": "kube-scheduler"}, "somebody holds the lease of kube-scheduler"),
        (
            "version",
            {"on": ["core-01", "core-02"], "unit": "etcd", "minor": "3.7"},
            "etcd on core-01 and core-02 is 3.7",
        ),
        ("writes", {"state": "flowing", "of": "api"}, "writes through the API flow"),
        ("writes", {"state": "stopped", "of": "api"}, "no write through the API is acknowledged"),
        (
            "gap",
            {"above_ms": 100, "below_ms": 2000, "of": "api"},
            "the gap in the writes through the API is longer than 100 ms and shorter than 2 s",
        ),
    ],
)
def test_a_check_is_a_sentence(verb: str, given: dict[str, object], sentence: str) -> None:
    assert in_words(convert(given, CHECKS[verb], ())) == sentence


def test_every_check_of_our_chapters_has_a_sentence_of_its_own(tmp_path: Path) -> None:
    said: dict[str, object] = {}
    kinds = set()
    for chapter in load_chapters(Settings(state=tmp_path, engine_cache=tmp_path)):
        for check in (check for step in chapter.steps for check in step.expect):
            assert said.setdefault(check.text, check.what) == check.what, f"two checks read {check.text!r}"
            kinds.add(check.verb)
    told_of_faults = {"fault", "card"}
    assert kinds == set(CHECKS) - told_of_faults


def test_every_kind_of_check_has_words() -> None:
    class Unknown(Part, frozen=True, kw_only=True):
        pass

    with pytest.raises(TypeError):
        in_words(Unknown())
    with pytest.raises(TypeError):
        kube_words(Unknown())
