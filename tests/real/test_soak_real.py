"""A soak on a real lab: it holds where nothing is lost, and finds the loss where somebody takes writes away."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.remote_lab import BUSY

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

LIGHT = ("kill-unit", "pause-unit", "partition")


def command(state: Path, subnet: int, *words: str) -> tuple[list[str], dict[str, str]]:
    """A command of ours with its environment."""
    own = {"RWK_STATE": str(state), "RWK_SUBNET": str(subnet)}
    return [sys.executable, "-m", "rwk_tui", *words], {**os.environ, **own}


def soak(state: Path, subnet: int, faults: int, seed: int) -> subprocess.Popen[str]:
    only = [word for name in LIGHT for word in ("--only", name)]
    argv, environment = command(
        state, subnet, "soak", "--json", "--on", "etcd", "--faults", str(faults), "--seed", str(seed), *only
    )
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_soak_loses_nothing_and_draws_the_same_again(tmp_path: Path, subnet: int) -> None:
    runs = []
    for turn in range(2):
        running = soak(tmp_path / f"s{turn}", subnet, 4, 11)
        out, err = running.communicate(timeout=110 * BUSY)
        assert running.returncode == 0, out[-2000:] + err
        runs.append(lines(out))
    for told in runs:
        summary = told[-1]["summary"]
        assert set(summary) == {
            "faults", "healed", "acknowledged", "lost", "lost_known", "violations", "known", "seconds", "seed"
        }  # fmt: skip
        assert (summary["lost"], summary["violations"], summary["seed"]) == (0, 0, 11)
        assert summary["faults"] == summary["healed"] >= 4
        assert summary["acknowledged"] > 100
        struck = [line for line in told if "number" in line]
        assert [line["number"] for line in struck] == [1, 2, 3, 4]
        assert all(card["effect"] and card["verdict"] == "holds" for line in struck for card in line["cards"])
    drawn = [[(line["fault"], line["target"], line["hold"]) for line in told if "number" in line] for told in runs]
    assert drawn[0] == drawn[1]


def test_a_soak_finds_acknowledged_writes_that_went(tmp_path: Path, subnet: int) -> None:
    state = tmp_path / "s"
    running = soak(state, subnet, 30, 5)
    assert running.stdout is not None
    told = []
    for line in running.stdout:
        told.append(json.loads(line))
        if told[-1].get("number") == 1:
            take_newest_writes(state, subnet)
            break
    rest, err = running.communicate(timeout=110 * BUSY)
    told += lines(rest)
    summary = told[-1]["summary"]
    assert running.returncode == 1, err
    assert summary["lost"] >= 1 and summary["violations"] >= 1, told[-3:]
    assert summary["faults"] < 30, "it stops where something is lost"
    (failed,) = [line for line in told if "replay" in line]
    number = [line["number"] for line in told if "number" in line][-1]
    assert f"--seed 5 --faults {number} --on etcd --only kill-unit" in failed["replay"]
    assert "acknowledged writes lost" in failed["failed"]
    (broken,) = [one for one in told[-4]["cards"][-1]["invariants"] if one["holds"] is False][:1]
    assert broken["evidence"] and broken["evidence"][0].startswith("/rwk/canary/")


def take_newest_writes(state: Path, subnet: int) -> None:
    """What an engine that forgets would do: the newest acknowledged writes are there no more."""
    argv, environment = command(state, subnet, "env")
    said = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30 * BUSY, check=True).stdout
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        script = f"{said}\netcdctl get --prefix /rwk/canary/ --keys-only | grep . | tail -n 3 | head -n 1"
        key = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, timeout=30 * BUSY, check=False
        ).stdout.strip()
        if key:
            gone = f"{said}\netcdctl del {shlex.quote(key)}"
            done = subprocess.run(["sh", "-c", gone], capture_output=True, text=True, timeout=30 * BUSY, check=False)
            if done.stdout.strip() == "1":
                return
    raise AssertionError("no write of the canary could be taken away")
