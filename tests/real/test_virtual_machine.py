"""One real virtual machine, made by Vagrant in a farm of its own, and all that is done to machines done to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from farm.packages import missing_packages
from support.remote_lab import KIND
from support.tools import unavailable

from rwk_tui.engines.find import Engine

pytestmark = [pytest.mark.real, pytest.mark.ci, pytest.mark.slow, pytest.mark.timeout(1500)]

TESTS = Path(__file__).resolve().parents[1]
WITHIN = "900"
"""Seconds for the test inside: without KVM an emulated machine takes its time."""


@pytest.mark.skipif(bool(KIND), reason="this run has machines of its own")
def test_a_machine_lives_through_everything_that_is_done_to_it(engines: dict[str, Engine], tmp_path: Path) -> None:
    if os.geteuid() != 0:
        unavailable("a farm of virtual machines needs root")
    if missing := missing_packages("libvirt"):
        unavailable(f"a farm of virtual machines needs the packages {' '.join(missing)}")
    test = TESTS / "vagrant" / "test_one_machine.py"
    farm = [sys.executable, "-m", "farm", "--provider", "libvirt", "--"]
    options = ["-p", "no:cacheprovider", "--basetemp", str(tmp_path / "t"), "--timeout", WITHIN]
    ran = subprocess.run(
        [*farm, sys.executable, "-m", "pytest", *options, str(test)],
        cwd=TESTS.parent,
        env={**os.environ, "PYTHONPATH": str(TESTS), "RWK_TEST_LAB": "vagrant", "RWK_SLACK": "4"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
