"""What a run without a screen says of the engines that it gets."""

from __future__ import annotations

import pytest

from rwk_tui.daemon.install_words import Due, Getting, Stage, about, getting_words, plan_words, took


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("begins", "getting Kubernetes 1.37.2: about 14 min"),
        ("installing", "  Kubernetes 1.37.2: 42%, about 14 min left · 1156 of 2752 packages compiled"),
        ("ready", "✓ Kubernetes 1.37.2 is here after 5 min 7 s"),
        ("failed", ""),
    ],
)
def test_an_engine_in_a_line(stage: Stage, words: str) -> None:
    text = "1156 of 2752 packages compiled"
    assert getting_words(Getting("kubernetes-1.37", "1.37.2", stage, 0.42, 840, 307.2, text)) == words


def test_all_of_them_in_a_line() -> None:
    dues = [
        Due("etcd-3.7", "3.7.3", "02-etcd-single", 60, 60_000_000),
        Due("kubernetes-1.37", "1.37.2", "08-api-server", 840, 460_000_000),
        Due("kwok-0.8", "0.8.0", "08-api-server", 240, 85_000_000),
    ]
    assert plan_words(dues) == (
        "to get: etcd 3.7 before 02-etcd-single, Kubernetes 1.37 and kwok 0.8 before 08-api-server: "
        "about 19 min in all, less where it can be downloaded; 605 MB stay on disk"
    )


def test_times() -> None:
    assert [about(30), about(50), about(89), about(91)] == [
        "under a minute",
        "about 1 min",
        "about 1 min",
        "about 2 min",
    ]
    assert [took(7.6), took(59.6), took(800)] == ["8 s", "1 min 0 s", "13 min 20 s"]
