"""What a run without a screen prints."""

from __future__ import annotations

import json

import pytest

from rwk_tui.board.frames import Check, Step
from rwk_tui.daemon.progress import BarReport, JsonReport, LineReport, Report, Result

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
    assert lines[3:] == [
        {"summary": {"chapters": 1, "steps": 3, "passed": 1, "failed": 1, "skipped": 1, "seconds": 4.568}}
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
