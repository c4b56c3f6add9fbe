"""What a fault is aimed at, in words and as it is confirmed."""

from __future__ import annotations

import pytest

from rwk_tui.board.targets import confirmation, target_machines, target_words

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


@pytest.mark.parametrize(
    ("target", "machines", "typed"),
    [
        ("core-01", ("core-01",), "core-01"),
        ("core-02/etcd", ("core-02",), "core-02"),
        ("core-02+core-03>core-01", ("core-02", "core-03", "core-01"), "core-02+core-03+core-01"),
        ("core-01/etcd+core-01/kubelet", ("core-01",), "core-01"),
        ("all", (), "all"),
        ("leader", (), "leader"),
    ],
)
def test_the_machines_of_a_target_are_what_is_typed_to_confirm_it(
    target: str, machines: tuple[str, ...], typed: str
) -> None:
    assert target_machines(target) == machines
    assert confirmation(target) == typed
