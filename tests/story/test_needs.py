"""Which engines a chapter needs: those that it names, and else any minor that is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.story_fakes import VERSIONS, write_chapter

from rwk_tui.engines.pins import default_pins
from rwk_tui.settings import Settings
from rwk_tui.story.load import load_chapters
from rwk_tui.story.needs import better_engines, chapter_row, needed_engines
from rwk_tui.story.schema import Chapter

NEWEST = {name: pin.name for name, pin in default_pins().items()}
OLD = {"etcd": "3.6.16", "etcd-3.6": "3.6.16", "kubernetes": "1.36.3", "kubernetes-1.36": "1.36.3"}
KWOK = {"kwok": "0.8.0", "kwok-0.8": "0.8.0"}


def chapter(directory: Path, do: str = "", expect: str = "", starts: str = "{}") -> Chapter:
    step = f"{{title: One, do: [{do}], expect: [{expect}]}}"
    return write_chapter(directory, f"title: a\ngoal: b\nstarts: {starts}\nsteps: [{step}]\n")


def ours(directory: Path, name: str) -> Chapter:
    chapters = load_chapters(Settings(state=directory, engine_cache=directory))
    return next(one for one in chapters if one.name == name)


def test_without_kubernetes_etcd_is_enough_and_always_there(tmp_path: Path) -> None:
    for name in ("01-hosts", "02-etcd-single", "05-bootstrap"):
        assert needed_engines(ours(tmp_path, name), {}) == ()


KUBE = [
    {"do": "{kube-api: core-01}"},
    {"do": "{kube-controllers: core-01}"},
    {"do": "{kube-worker: core-02}"},
    {"do": "{until: {api: core-01}}"},
    {"expect": "{nodes: {ready: [core-01]}}"},
    {"expect": "{lease: {name: kube-scheduler}}"},
    {"starts": "{etcd: [core-01], secured: true, api: [core-01]}"},
]


@pytest.mark.parametrize("parts", KUBE, ids=str)
def test_whatever_touches_kubernetes_needs_it(parts: dict[str, str], tmp_path: Path) -> None:
    assert needed_engines(chapter(tmp_path, **parts), {}) == (NEWEST["kubernetes"], NEWEST["kwok"])


def test_what_is_undone_counts_as_well(tmp_path: Path) -> None:
    text = "title: a\ngoal: b\nsteps: [{title: One, undo: [{kube-api: core-01}]}]\n"
    assert needed_engines(write_chapter(tmp_path, text), {}) == (NEWEST["kubernetes"], NEWEST["kwok"])


def test_any_minor_that_is_there_will_do(tmp_path: Path) -> None:
    found = chapter(tmp_path, "{kube-api: core-01}")
    assert needed_engines(found, OLD | KWOK) == ("kubernetes-1.36", "kwok-0.8")
    assert needed_engines(found, VERSIONS) == ("kubernetes-1.37", "kwok-0.8")
    assert needed_engines(found, OLD) == ("kubernetes-1.36", NEWEST["kwok"])


def test_what_was_given_from_elsewhere_serves_too(tmp_path: Path) -> None:
    given = {"etcd": "3.5.1", "kubernetes": "1.35.0", "kwok": "0.7.0"}
    assert needed_engines(chapter(tmp_path, "{kube-api: core-01}"), given) == ()


def test_a_minor_that_is_named_is_needed_whatever_else_is_there(tmp_path: Path) -> None:
    starts = "{etcd: [core-01], secured: true, api: [core-01], engines: [kubernetes-1.36, etcd-3.6]}"
    assert needed_engines(chapter(tmp_path, starts=starts), VERSIONS) == ("etcd-3.6", "kubernetes-1.36", "kwok-0.8")
    upgrade = "{etcd-upgrade: {on: core-01, to: etcd-3.7}}"
    assert needed_engines(chapter(tmp_path, upgrade), {}) == ("etcd-3.7",)


def test_an_upgrade_needs_both_minors_of_both(tmp_path: Path) -> None:
    assert needed_engines(ours(tmp_path, "16-upgrade"), VERSIONS) == (
        "etcd-3.6",
        "etcd-3.7",
        "kubernetes-1.36",
        "kubernetes-1.37",
        "kwok-0.8",
    )


WHEEL = {"etcd": "3.5.1"}


def test_an_etcd_that_is_too_old_for_kubernetes_is_needed_anew(tmp_path: Path) -> None:
    found = chapter(tmp_path, "{kube-api: core-01}")
    assert needed_engines(found, WHEEL) == (NEWEST["etcd"], NEWEST["kubernetes"], NEWEST["kwok"])
    unused = WHEEL | KWOK | {NEWEST["kubernetes"]: "1.37.2"}  # it is there, but nothing for it to stand on
    assert needed_engines(found, unused) == (NEWEST["etcd"], NEWEST["kubernetes"], NEWEST["kwok"])


def test_what_uses_etcd_is_better_told_on_one_without_known_faults(tmp_path: Path) -> None:
    better = {
        name: better_engines(ours(tmp_path, name), WHEEL)
        for name in ("01-hosts", "02-etcd-single", "03-etcd-clustering", "05-bootstrap")
    }
    assert better == {
        "01-hosts": (),  # no etcd in it
        "02-etcd-single": (NEWEST["etcd"],),
        "03-etcd-clustering": (NEWEST["etcd"],),
        "05-bootstrap": (NEWEST["etcd"],),
    }
    assert better_engines(ours(tmp_path, "08-api-server"), WHEEL) == (), "that needs it anyway"
    assert better_engines(ours(tmp_path, "02-etcd-single"), {"etcd": "3.5.17"}) == ()
    assert better_engines(ours(tmp_path, "02-etcd-single"), WHEEL | {NEWEST["etcd"]: "3.7.3"}) == ()


def test_with_engines_of_one_s_own_theirs_is_the_etcd_that_is_meant(tmp_path: Path) -> None:
    found = ours(tmp_path, "02-etcd-single")
    assert chapter_row(found, WHEEL, 0.0).better == (NEWEST["etcd"],)
    assert chapter_row(found, WHEEL, 0.0, own=True).better == ()
