"""What a run without a screen prints."""

from __future__ import annotations

import json

import pytest
from rich.console import Console
from support.cards import BUG, card, known, not_well, violated

from rwk_tui.board.frames import Check, Step
from rwk_tui.daemon.progress import BarReport, JsonReport, LineReport, Report, Result, describe_card

GOOD = Step(
    title="Start etcd",
    status="passed",
    seconds=1.23456,
    commands=("etcd",),
    checks=(Check(expect="serving", status="passed", saw="serving", seconds=0.5),),
)
BAD = Step(title="Write", status="failed", checks=(Check(expect="[bold] 1", status="failed", saw="2"),))
RESULTS = [
    Result("02-x", 1, 3, GOOD),
    Result("02-x", 2, 3, BAD),
    Result("02-x", 3, 3, Step(title="T", status="skipped")),
]


def tell(report: Report) -> None:
    with report:
        report.chapter("02-x", "A chapter", 3)
        for result in RESULTS:
            report.running(result.number, result.step.title)
            report.step(result)
        report.card(card(4))
        report.card(violated(5))
        report.summary(1, RESULTS, 4.5678)


def test_json_lines_are_exactly_as_promised(capsys: pytest.CaptureFixture[str]) -> None:
    tell(JsonReport())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {
        "chapter": "02-x",
        "step": 1,
        "title": "Start etcd",
        "status": "passed",
        "seconds": 1.235,
        "commands": ["etcd"],
        "checks": [{"expect": "serving", "status": "passed", "saw": "serving", "seconds": 0.5}],
    }
    assert [line["status"] for line in lines[:3]] == ["passed", "failed", "skipped"]
    assert [set(line) for line in lines[3:5]] == [{"card"}, {"card"}]
    assert [(line["card"]["number"], line["card"]["verdict"]) for line in lines[3:5]] == [(4, "holds"), (5, "violated")]
    assert lines[5:] == [
        {"summary": {"chapters": 1, "steps": 3, "passed": 1, "failed": 1, "known": 0, "skipped": 1, "seconds": 4.568}}
    ]


@pytest.mark.parametrize("report", [LineReport, BarReport])
def test_people_get_a_line_a_step_with_what_was_seen_instead(
    report: type[LineReport], capsys: pytest.CaptureFixture[str]
) -> None:
    tell(report())
    out = capsys.readouterr().out
    assert "✓ 1/3 Start etcd · passed · 1.23 s" in out
    assert "✗ 2/3 Write · failed" in out
    assert "expected [bold] 1, saw: 2" in out
    assert "1 chapter, 3 steps: 1 passed, 1 failed, 1 skipped in 4.6 s" in out
    flowing = " ".join(out.split())  # above a bar, long lines are broken where the terminal ends
    assert "✓ card 4 Cut the power: core-01 · holds · core-01 is off, after 0.21 s, no etcd writes for" in flowing
    assert "✗ card 5 Corrupt a value: etcd on core-02 · violated" in out
    assert "      ✗ every acknowledged write is there: 2 of 1812 acknowledged writes lost" in out
    assert "        core-02 stores /colour = `re|d`, the others blue" in out


def test_a_bar_is_only_drawn_where_this_output_is_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich._console", Console(color_system="truecolor", force_interactive=True))
    tell(BarReport())
    out = capsys.readouterr().out
    assert "\x1b" not in out and out.count("━ ") <= 1


def test_a_card_that_is_not_well_says_so() -> None:
    lines = describe_card(not_well(6))
    assert lines[0].startswith("  ! card 6 Cut links: core-01 → core-02, core-03 · not well · no probe saw it")
    assert lines[0].endswith("4 pods replaced, NOT well again after its healing")
    assert lines[1:] == []


KNOWN = Step(
    title="Look",
    status="known",
    checks=(Check(expect="no loss", status="known", saw=f"1 of 9 acknowledged writes lost; {BUG}"),),
)
WITH_KNOWN = [Result("04-x", 1, 2, GOOD), Result("04-x", 2, 2, KNOWN)]


def tell_known(report: Report) -> None:
    with report:
        for result in WITH_KNOWN:
            report.step(result)
        report.card(known(7))
        report.summary(1, WITH_KNOWN, 1.0)


def test_what_is_known_is_a_state_of_its_own_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    tell_known(JsonReport())
    _, step, one, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (step["status"], [check["status"] for check in step["checks"]]) == ("known", ["known"])
    assert step["checks"][0]["saw"] == "1 of 9 acknowledged writes lost; known of etcd 3.5.1: etcd#13766"
    assert (one["card"]["verdict"], one["card"]["invariants"][0]["known"]) == ("known", BUG)
    assert summary["summary"] == {
        "chapters": 1, "steps": 2, "passed": 1, "failed": 0, "known": 1, "skipped": 0, "seconds": 1.0
    }  # fmt: skip


@pytest.mark.parametrize("report", [LineReport, BarReport])
def test_people_read_what_was_seen_and_of_what_it_is_known(
    report: type[LineReport], capsys: pytest.CaptureFixture[str]
) -> None:
    tell_known(report())
    flowing = " ".join(capsys.readouterr().out.split())
    # The bar may be painted between two lines.
    assert "† 2/2 Look · known · 0.00 s" in flowing
    assert f"expected no loss, saw: 1 of 9 acknowledged writes lost; {BUG}" in flowing
    assert "† card 7 Cut the power: core-01 · known · " in flowing
    assert f"† every acknowledged write is there: 2 of 1812 acknowledged writes lost; {BUG}" in flowing
    assert "1 chapter, 2 steps: 1 passed, 0 failed, 1 known, 0 skipped in 1.0 s" in flowing
