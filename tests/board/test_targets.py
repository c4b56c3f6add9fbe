"""What a fault is aimed at, in words and as it is confirmed."""

from __future__ import annotations

import pytest

from rwk_tui.board.targets import confirmation, target_machines, target_words
from rwk_tui.faults import base

TARGETS = {
    "core-01": "core-01",
    "core-01/etcd": "etcd on core-01",
    "leader": "the leader",
    "all": "every machine",
    "core-01>core-02+core-03": "core-01 → core-02, core-03",
    "core-02+core-03>core-01": "core-02, core-03 → core-01",
    "core-01|core-02+core-03": "core-01 apart from core-02, core-03",
    "core-01+core-02": "core-01 and core-02",
    "core-01+core-02+core-03": "core-01, core-02 and core-03",
    "core-01/etcd+core-02/etcd": "etcd on core-01 and etcd on core-02",
}


@pytest.mark.parametrize(("target", "words"), TARGETS.items())
def test_words(target: str, words: str) -> None:
    assert target_words(target) == words


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "leader"])
def test_it_is_confirmed_as_the_catalogue_wants_it(target: str) -> None:
    assert target_machines(target) == base.machines_of(target)
    assert confirmation(target) == base.confirmation(target)
