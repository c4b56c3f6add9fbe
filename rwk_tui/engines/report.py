"""What `rwk-tui engines` prints: every binary that was found, which of them is used, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.find import candidates, examine
from rwk_tui.engines.pins import default_pins
from rwk_tui.engines.sets import EngineSet, find_set
from rwk_tui.engines.upstreams import UPSTREAMS
from rwk_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class Found:
    """One file that bears an engine's name; `version` is "" if it does not work, `remark` says what is wrong.

    `used` is true for what the lab runs by default and for what it runs where a chapter asks for that minor.
    """

    name: str
    version: str
    source: str
    path: Path
    used: bool
    remark: str


@dataclass(frozen=True, slots=True)
class Report:
    """Every candidate, and in one line why the lab could not start ("" if it could); `missing` says what it lacks."""

    rows: tuple[Found, ...]
    problem: str
    versions: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


def look(settings: Settings) -> Report:
    """Look at everything that bears an engine's name; each binary is asked for its version the first time only."""
    engines, problem = EngineSet({}, {}, {}, {}), ""
    try:
        engines = find_set(settings)
    except EngineError as error:
        problem = str(error)
    used = set(engines.programs.values())
    rows: list[Found] = []
    for upstream in UPSTREAMS.values():
        for name in (*upstream.programs, *upstream.extra):
            for source, path in candidates(name, settings):
                if source == "given" and upstream.name != "etcd" and not path.exists():
                    continue  # a directory that was given need not have them
                try:
                    engine = examine(name, source, path, settings)
                except EngineError as error:
                    rows.append(Found(name, "", source, path, False, str(error)))
                else:
                    rows.append(Found(name, engine.version, source, path, path in used, engine.verdict))
    return Report(tuple(rows), problem, engines.versions, engines.missing)


def print_engines(settings: Settings, *, as_json: bool) -> int:
    """Print them for people or as JSON; 0 if the lab can start (etcd works), else 1."""
    report = look(settings)
    if as_json:
        print(json.dumps(_as_json(report), ensure_ascii=False))
        return 1 if report.problem else 0
    width = max((len(row.name) for row in report.rows), default=8)
    for row in report.rows:
        glyph = "✗" if not row.version else "!" if row.remark else "✓"
        use = "used" if row.used else "    "
        print(f"{glyph} {row.name:<{width}} {row.version or '-':<8} {use}  {row.source:<6} {row.path}")
        if row.remark:
            print(f"    {row.remark}")
    for text in needed_later(report).values():
        print(f"– {text}")
    if report.problem and not any(row.remark == report.problem for row in report.rows):
        print(f"✗ {report.problem}")
    return 1 if report.problem else 0


def needed_later(report: Report) -> dict[str, str]:
    """What is missing, but for the newest minors: they are what is missing as "kubernetes", or an older one serves."""
    newest = {pin.name for pin in default_pins().values()}
    return {name: why for name, why in report.missing.items() if name not in newest}


def _as_json(report: Report) -> dict[str, object]:
    engines = [
        {
            "name": row.name,
            "version": row.version,
            "source": row.source,
            "path": str(row.path),
            "used": row.used,
            "good": bool(row.version) and not row.remark,
            "remark": row.remark,
        }
        for row in report.rows
    ]
    return {
        "engines": engines,
        "versions": dict(report.versions),
        "missing": dict(report.missing),
        "problem": report.problem,
    }
