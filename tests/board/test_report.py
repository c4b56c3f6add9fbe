"""Report cards as Markdown, and in words."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from support.cards import AT, card, known, not_well, violated

from rwk_tui.board.card_row import CardRow, Invariant, Outage
from rwk_tui.board.card_words import card_values, facts
from rwk_tui.board.report import NO_CARDS, markdown, plain, tally


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def table(text: str) -> list[list[str]]:
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").replace("\\|", "!").split("|")] for row in rows]


def test_the_table_has_a_line_a_card_in_order_of_their_numbers() -> None:
    text = markdown([violated(2), card(1)], title="What held")
    assert text.startswith("# What held\n\n2 faults: 1 violated, 1 holds\n\n| # |")
    assert text.endswith("\n") and not text.endswith("\n\n")
    heads, rule, first, second = table(text)
    assert set(rule) == {"---"} and len({len(row) for row in (heads, rule, first, second)}) == 1
    assert dict(zip(heads, first, strict=True)) == {
        "#": "1",
        "injected": "2026-11-24 00:30:00",
        "fault": "Cut the power",
        "target": "core-01",
        "etcd out": "1.36 s ± 50 ms",
        "api out": "",
        "elected": "core-02 after 1.30 s ± 50 ms",
        "taken over": "",
        "pods": "",
        "well after": "3.21 s",
        "verdict": "✓ holds",
    }
    assert (second[3], second[-1]) == ("etcd on core-02", "**✗ violated**")


def test_only_what_is_not_plain_has_a_section_and_the_worst_comes_first() -> None:
    seen = card(4, title="Cut a link", evidence=("both ends closed it",))
    text = markdown([card(1), seen, not_well(3), violated(2)], title="t")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## ✗ 2. Corrupt a value: etcd on core-02, violated",
        "## ! 3. Cut links: core-01 → core-02, core-03, not well",
        "## ✓ 4. Cut a link: core-01, holds",
    ]
    assert "- ✗ **all members store the same**: hashkv DIFFERS on 3 members\n  - core-02 stores" in text
    assert "- well: NOT well again after its healing" in text
    assert "- taken over: kube-scheduler by core-02 after 15.2 s ± 1.00 s" in text
    assert "- seen: no probe saw it" in text
    assert text.endswith("- both ends closed it\n")


def test_what_is_known_stands_behind_what_is_worse_and_names_the_bug() -> None:
    text = markdown([card(1), known(4), not_well(3), violated(2)], title="t")
    assert "4 faults: 1 violated, 1 not well, 1 known, 1 holds" in text
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings[2] == "## † 4. Cut the power: core-01, known"
    assert table(text)[-1][-1] == "**† known**"
    line = "- † all members store the same: hashkv DIFFERS on 3 members; known of etcd 3.5.1: etcd#13766"
    assert line in text.splitlines()


@pytest.mark.parametrize(
    ("holds", "bug", "verdict", "words"),
    [
        (True, "", "holds", "s"),
        (True, "b", "holds", "s"),
        (None, "", "not checked", "s"),
        (None, "b", "not checked", "s"),
        (False, "", "violated", "s"),
        (False, "b", "known", "s; b"),
    ],
)
def test_an_invariant_that_holds_is_never_known(holds: bool | None, bug: str, verdict: str, words: str) -> None:
    one = Invariant(name="n", holds=holds, saw="s", known=bug)
    assert (one.verdict, one.words) == (verdict, words)
    assert [len(card(1, invariants=(one,)).broken), len(card(1, invariants=(one,)).known)] == [
        verdict == "violated",
        verdict == "known",
    ]


def test_foreign_text_stays_text() -> None:
    assert plain("a|b `c` *d* <e>\r\n# f\x1b[31m") == r"a\|b \`c\` \*d\* \<e\> # f \[31m"
    text = markdown([violated(1)], title="t")
    assert r"core-02 stores /colour = \`re\|d\`, the others blue" in text
    assert markdown([card(1, target="core-01|core-02", title="a|b")], title="t").count(r"a\|b") == 1


def test_the_tally_says_the_worst_first() -> None:
    assert tally([card(1), not_well(2), card(3), violated(4)]) == "4 faults: 1 violated, 1 not well, 2 hold"
    assert tally([card(1)]) == "1 fault: 1 holds"


def test_no_cards_are_said_plainly() -> None:
    assert markdown([], title="t") == f"# t\n\n{NO_CARDS}\n"


def words(one: CardRow) -> dict[str, str]:
    return {fact.name: fact.words for fact in facts(one)}


def test_what_there_was_none_of_is_left_out() -> None:
    assert words(card(outages=(), elected="", election_ms=None, effect_ms=None)) == {
        "seen": "core-01 is off",
        "well": "all well 3.21 s after its healing",
    }
    assert words(card(election_ms=None))["elected"] == "core-02, handed over"
    assert words(card(healed=0.0))["well"] == "all well 3.21 s after that"
    assert words(not_well())["pods"] == "4 pods replaced"
    assert [fact.name for fact in facts(not_well()) if fact.amiss] == ["seen", "well"]


def test_an_outage_says_for_how_long_the_computer_itself_stood_still_in_it() -> None:
    one = card(outages=(Outage(of="etcd", ms=1763.0, resolution_ms=50.0, still_ms=600.0),))
    said = "1.76 s ± 50 ms, this computer stood still for 0.60 s in it"
    assert words(one)["outage"] == f"no etcd writes for {said}"
    assert f"| {said} |" in markdown([one], title="t")


def test_a_card_for_json_has_no_fields_of_the_board() -> None:
    values = card_values(card(invariants=(Invariant(name="n", holds=None, saw="s"),)))
    assert not {"row", "seen_at", "fresh", "why"} & set(values)
    assert (values["number"], values["injected"], values["verdict"]) == (1, AT, "holds")
    assert values["invariants"] == ({"name": "n", "holds": None, "saw": "s", "evidence": (), "known": ""},)
