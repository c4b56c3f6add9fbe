"""What is shown of units on machines with systemd: commands that work when they are typed."""

from __future__ import annotations

import shlex
from typing import get_args

import pytest

from rwk_tui.lab.protocol import UnitSpec, UnitVerb
from rwk_tui.lab.remote import show

SPEC = UnitSpec("etcd", ("etcd", "--name", "two words"), environment=(("ETCD_NAME", "core-01"),))


@pytest.mark.parametrize(
    ("verb", "typed"),
    [
        ("stop", "sudo systemctl disable --now rwk-etcd"),
        ("kill", "sudo systemctl kill --signal=KILL rwk-etcd"),
        ("pause", "sudo systemctl kill --signal=STOP rwk-etcd"),
        ("resume", "sudo systemctl kill --signal=CONT rwk-etcd"),
    ],
)
def test_what_does_not_begin_it_is_one_command(verb: UnitVerb, typed: str) -> None:
    assert show.unit(verb, SPEC, "core-02") == f"{typed}  # on core-02"


def test_what_begins_it_says_what_runs() -> None:
    assert show.unit("start", SPEC, "core-01").splitlines() == [
        "# rwk-etcd.service runs: env ETCD_NAME=core-01 etcd --name 'two words'",
        "sudo systemctl enable --now rwk-etcd  # on core-01",
    ]
    assert show.unit("restart", SPEC, "core-01").splitlines()[-1] == "sudo systemctl restart rwk-etcd  # on core-01"


def test_a_long_one_is_laid_out_and_stays_a_comment() -> None:
    variables = tuple((f"ETCD_{number}", "x" * 30 + "\ny") for number in range(5))
    shown = show.unit("start", UnitSpec("etcd", ("etcd",), environment=variables), "core-01")
    typed = shlex.split(shown, comments=True)
    assert typed == ["sudo", "systemctl", "enable", "--now", "rwk-etcd"]
    assert len(shown.splitlines()) > len(variables)


def test_every_verb_has_one() -> None:
    assert len({show.unit(verb, SPEC, "core-01") for verb in get_args(UnitVerb)}) == len(get_args(UnitVerb))
