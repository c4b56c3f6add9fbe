"""Unit files: systemd reads back exactly the words of a spec, and so do we."""

from __future__ import annotations

import configparser
import re

import pytest

from rwk_tui.lab.protocol import LabError, Listen, UnitSpec
from rwk_tui.lab.remote.unit_file import quoted, read_spec, unit_text

WORDS = (
    "two words",
    "",
    "$HOME ${HOME} $$",
    "%n %% 100%",
    'it\'s "quoted"',
    "back\\slash\\",
    "tab\tand\nnew line",
    "\x01\x7f",
    "ünïcödé ✓",
    ";",
    "#x",
)
SPEC = UnitSpec(
    "etcd",
    ("etcd", *WORDS),
    environment=(("ETCD_NAME", "core-01"), ("ODD", "50% of \"x\" 'y' $Z\n")),
    listens=(Listen(2379, True), Listen(2381, False, True)),
    after=("registry", "not there"),
)


def text(spec: UnitSpec = SPEC) -> str:
    return unit_text(spec, "/var/lib/rwk/bin/etcd", "core-01", "172.17.8.101", grace=2.5, since=1700000000.25)


def as_systemd(line: str, *, variables: bool) -> list[str]:
    """The words of a line, by the rules of systemd.syntax(7), systemd.unit(5) and systemd.service(5)."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    assert line == " ".join(f'"{word}"' for word in words), "every word is quoted, and nothing stands between them"
    plain = {"\\": "\\", '"': '"', "n": "\n", "t": "\t", "r": "\r"}

    def letter(found: re.Match[str]) -> str:
        return chr(int(found[1][1:], 16)) if found[1][0] == "x" else plain[found[1]]

    def read(word: str) -> str:
        word = re.sub(r"\\(x[0-9a-f]{2}|.)", letter, word)
        assert not re.search(r"(?<!%)(%%)*%(?!%)", word), "a single % begins a specifier"
        word = word.replace("%%", "%")
        if variables:
            assert not re.search(r"(?<!\$)(\$\$)*\$(?!\$)", word), "a single $ begins a variable"
            word = word.replace("$$", "$")
        return word

    return [read(word) for word in words]


def lines(key: str) -> list[str]:
    return [line.partition("=")[2] for line in text().splitlines() if line.startswith(f"{key}=")]


def test_systemd_runs_the_very_words() -> None:
    (line,) = lines("ExecStart")
    assert as_systemd(line, variables=True) == ["/var/lib/rwk/bin/etcd", *WORDS]


def test_the_environment_is_that_of_a_login_and_the_spec() -> None:
    given = dict(as_systemd(line, variables=False)[0].split("=", 1) for line in lines("Environment"))
    assert given.pop("PATH").split(":")[0] == "/var/lib/rwk/bin"
    assert given == {
        "HOME": "/var/lib/rwk/disk",
        "LANG": "C.UTF-8",
        "RWK_MACHINE": "core-01",
        **dict(SPEC.environment),
    }


def test_it_is_a_unit_file_of_which_each_line_holds_one_thing() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(text())
    assert parser.sections() == ["Unit", "Service", "Install", "X-Rwk"]
    assert parser["Unit"]["After"] == "network.target rwk-registry.service", "what can't be a unit is none"
    assert parser["Service"]["TimeoutStopSec"] == "2.5"
    assert parser["Install"]["WantedBy"] == "multi-user.target"


def test_it_waits_for_its_address_only_if_others_dial_it() -> None:
    assert "172.17.8.101" in lines("ExecStartPre")[0]
    private = UnitSpec("kwok", ("kwok",), listens=(Listen(10250, False),))
    assert "ExecStartPre" not in text(private)


def test_the_spec_is_read_back() -> None:
    written = read_spec(lines("Spec")[0], "core-01", "etcd")
    assert (written.spec, written.since) == (SPEC, 1700000000.25)


@pytest.mark.parametrize("line", ["", "no JSON", "[]", '{"argv": 3}', '{"argv":["x"],"environment":[],"after":[]}'])
def test_a_damaged_one_is_one_line_with_what_to_do(line: str) -> None:
    with pytest.raises(LabError, match=r"rwk-etcd\.service on core-01 is damaged; reset the lab"):
        read_spec(line, "core-01", "etcd")


def test_what_no_unit_file_can_hold_is_refused() -> None:
    with pytest.raises(LabError, match="zero byte"):
        quoted("a\0b")
