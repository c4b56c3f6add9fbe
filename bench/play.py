"""Every chapter without a screen, several times in a row: `play.py [RUNS] [--fast]`.

Prints the exit code of each run, what failed, and the time of each step; exits 1 if anything failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from harness import COMMAND, Figures, environment, lab_state
from kube_tools import fast, number

WITHIN = 1800.0
"""Seconds that a run may take before it counts as stuck."""


@dataclass(slots=True)
class Run:
    """One run: its exit code, its steps as they were told, and its summary."""

    code: int
    seconds: float
    steps: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    errors: str = ""

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The steps that failed."""
        return [step for step in self.steps if step["status"] == "failed"]


def play(*, quick: bool) -> Run:
    """Play everything once, on a lab of its own."""
    with lab_state() as state:
        argv = [*COMMAND, "play", "--all", "--json", *(["--fast"] if quick else [])]
        began = time.monotonic()
        process = subprocess.Popen(
            argv, env=environment(state), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            out, errors = process.communicate(timeout=WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
            errors = f"killed after {WITHIN:g} s; {errors}"
        run = Run(process.returncode, time.monotonic() - began, errors=errors.strip())
        for line in out.splitlines():
            told = json.loads(line)
            if "summary" in told:
                run.summary = told["summary"]
            else:
                run.steps.append(told)
        return run


def tell(number: int, run: Run) -> None:
    """A run in a line, and one for each thing that failed."""
    counts = " ".join(f"{run.summary.get(what, '?')} {what}" for what in ("passed", "failed", "skipped"))
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"run {number}: exit {run.code}, {len(run.steps)} steps, {counts}, {run.seconds:.1f} s, {load}", flush=True)
    for step in run.failed:
        print(f"  ✗ {step['chapter']} {step['step']} {step['title']}")
        for check in step["checks"]:
            if check["status"] == "failed":
                print(f"      expected {check['expect']}, saw: {check['saw']}")
    if run.errors:
        print(f"  {run.errors[-600:]}")


def main() -> int:
    runs = number(0, 1)
    quick = fast() or len(sys.argv) == 1
    found: list[Run] = []
    for one in range(runs):
        found.append(play(quick=quick))
        tell(one + 1, found[-1])
    times: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for run in found:
        for step in run.steps:
            if step["status"] != "skipped":
                times[step["chapter"], step["step"], step["title"]].append(step["seconds"])
    for (chapter, at, title), seconds in times.items():
        print(f"{chapter:24} {at:2} {title[:40]:40} {Figures(tuple(seconds))} s")
    good = [run for run in found if run.code == 0 and not run.failed and run.summary]
    print(f"{'fast' if quick else 'telling'} timings: {len(good)} of {runs} runs without a failure")
    print(f"whole run {Figures(tuple(run.seconds for run in found))} s")
    return 0 if len(good) == runs else 1


if __name__ == "__main__":
    sys.exit(main())
