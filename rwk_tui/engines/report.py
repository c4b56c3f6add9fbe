"""What `rwk-tui engines` prints: every binary that was found, which of them is used, and what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.find import ETCD_PROGRAMS, Engine, candidates, examine, find_engines
from rwk_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class Found:
    """One file that bears an engine's name; `version` is "" if it does not work, `remark` says what is wrong."""

    name: str
    version: str
    source: str
    path: Path
    used: bool
    remark: str


def look(settings: Settings, names: tuple[str, ...] = ETCD_PROGRAMS) -> tuple[list[Found], str]:
    """Every candidate, and in one line why the lab could not start with them ("" if it could)."""
    used: dict[str, Engine] = {}
    problem = ""
    try:
        used = find_engines(names, settings)
    except EngineError as error:
        problem = str(error)
    rows: list[Found] = []
    for name in names:
        for source, path in candidates(name, settings):
            try:
                engine = examine(name, source, path, settings)
            except EngineError as error:
                rows.append(Found(name, "", source, path, False, str(error)))
                continue
            is_used = name in used and used[name].path == path
            rows.append(Found(name, engine.version, source, path, is_used, engine.verdict))
    return rows, problem


def print_engines(settings: Settings, *, as_json: bool) -> int:
    """Print them for people or as JSON; 0 if all three programs work, else 1."""
    rows, problem = look(settings)
    if as_json:
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
            for row in rows
        ]
        print(json.dumps({"engines": engines, "problem": problem}, ensure_ascii=False))
        return 1 if problem else 0
    for row in rows:
        glyph = "✗" if not row.version else "!" if row.remark else "✓"
        use = "used" if row.used else "    "
        print(f"{glyph} {row.name:<8} {row.version or '-':<8} {use}  {row.source:<6} {row.path}")
        if row.remark:
            print(f"    {row.remark}")
    if problem and not any(row.remark == problem for row in rows):
        print(f"✗ {problem}")
    return 1 if problem else 0
