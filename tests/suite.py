"""What a change has to pass: `make check` before each commit, `make test` before it is proposed, `make ci` in CI.

Static checks come first, or beside the build of engines that are not there yet; what needs none is tested meanwhile.
In the end it is looked whether anything was left behind, and told how long each part took.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from support.leftovers import Leftovers, leftovers
from support.needs import UNMARKED
from support.schedule import FAILED, in_minutes

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
WORKERS = int(os.environ.get("RWK_TEST_WORKERS", "4"))
"""More than cores: most tests wait, for elections, leases and grace periods."""
STATIC = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "imports": ["lint-imports"],
    "types": ["mypy"],
}
PYTEST = ["pytest", "--numprocesses", str(WORKERS), "--dist", "loadgroup", "--no-loadscope-reorder", "--quiet"]
CHECK = ["--numprocesses", str(max(4, os.cpu_count() or 1)), "--dist", "worksteal"]
"""More workers than the cores of a small machine, since some of these tests wait too."""
ENGINES = ["rwk-tui", "engines", "install", "--from", "go"]
AT_ONCE = 10.0
"""Seconds after which engines that are not there yet are being built, which takes a while."""
AGAIN = 5
"""How many tests on real engines may fail beside the others and be run once more."""
TOLD_EVERY = 60.0
"""Seconds between two lines about a build that goes on."""


@dataclass(frozen=True)
class Part:
    """How one part ended."""

    name: str
    code: int
    seconds: float
    output: str = ""
    notes: tuple[str, ...] = ()


class Beside:
    """Parts that run one after the other in a thread of their own."""

    def __init__(self, parts: dict[str, list[str]], environment: dict[str, str]) -> None:
        self.ended: list[Part] = []
        self._thread = threading.Thread(target=self._work, args=(parts, environment))
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the last one, at most that long; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self, parts: dict[str, list[str]], environment: dict[str, str]) -> None:
        for name, command in parts.items():
            self.ended.append(run(name, command, environment, told=name == "engines"))


def run(name: str, command: Sequence[str], environment: dict[str, str], *, told: bool = False) -> Part:
    """Run one part and keep what it prints; a line a minute is shown of one that is `told`."""
    began = last = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if told and (len(lines) == 1 or time.monotonic() - last > TOLD_EVERY):
                last = time.monotonic()
                print(f"\n{name}: {line.strip()}", flush=True)
    return Part(name, process.returncode, time.monotonic() - began, "".join(lines))


def pytest(name: str, chosen: str, environment: dict[str, str], *more: str) -> Part:
    """Run the tests that a marker expression chooses, with more options; their output is shown as it comes."""
    print(f"\n== {name}", flush=True)
    began = time.monotonic()
    # A short one: sockets lie in directories of tests, and their paths may have 100 bytes.
    own = str(Path(environment["TMPDIR"]).with_name("t"))
    command = [sys.executable, "-m", *PYTEST, "--basetemp", own, *more, "-m", chosen]
    ended = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
    return Part(name, ended.returncode, time.monotonic() - began)


def on_engines(name: str, chosen: str, environment: dict[str, str]) -> Part:
    """The same; a few tests on real engines that failed beside the others are run once more, alone, and that is said.

    Kubernetes and etcd have deadlines of their own, which a computer that several labs share may break.
    """
    failed = Path(environment["TMPDIR"]).with_name("failed.json")
    part = pytest(name, chosen, {**environment, FAILED: str(failed)})
    again = json.loads(failed.read_text("utf-8")) if part.code == 1 and failed.exists() else []
    if not may_run_again(again):
        return part
    print(f"\n== once more, alone: {len(again)} of {name}", flush=True)
    began = time.monotonic()
    own = str(failed.with_name("t"))
    command = [sys.executable, "-m", "pytest", "--basetemp", own, "--quiet", *again]
    ended = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
    alone = ", ".join(again)
    verdict = "failed alone too" if ended.returncode else "passed only when nothing ran beside"
    return Part(name, ended.returncode, part.seconds + time.monotonic() - began, notes=(f"{verdict}: {alone}",))


def may_run_again(failed: Sequence[str]) -> bool:
    """Whether these may have failed for want of a core: a few, and all of them on real engines."""
    return 0 < len(failed) <= AGAIN and all(test.startswith("tests/real/") for test in failed)


def check(environment: dict[str, str], wanted: Sequence[str]) -> list[Part]:
    """The static checks, and the tests that neither start nor bind anything."""
    static = Beside({name: STATIC[name] for name in STATIC if name in wanted}, environment)
    parts = [pytest("tests", UNMARKED, environment, *CHECK)] if "tests" in wanted else []
    static.wait()
    return [*static.ended, *parts]


def test(environment: dict[str, str], *, everything: bool) -> list[Part]:
    """All tests, those that only CI has the tools for if `everything`, and the static checks beside them."""
    engines = Beside({} if os.environ.get("RWK_ENGINES") else {"engines": ENGINES}, environment)
    there = engines.wait(AT_ONCE)
    static = Beside(STATIC, environment)
    parts: list[Part] = []
    if there:
        static.wait()  # types take a core for a while where nothing is cached, and labs need it when they start
        parts.append(on_engines("tests", "not ci", environment))
    else:
        parts.append(pytest("tests without engines", "not real and not ci", environment))
        engines.wait()
        if all(part.code == 0 for part in engines.ended):
            parts.append(on_engines("tests on engines", "real and not ci", environment))
    if everything:
        parts.append(pytest("tests that only CI runs", "ci", environment))
    static.wait()
    return [*static.ended, *engines.ended, *parts]


def environment_of(left: Leftovers) -> dict[str, str]:
    """What the parts inherit. Python's bytecode is kept: hundreds of processes of ours would compile the same again."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**own, **left.environment, "PYTHONPYCACHEPREFIX": str(ROOT / ".pytest_cache" / "bytecode")}


def main(arguments: list[str]) -> int:
    """Run it all and say how long each part took: 0 if all went well and nothing was left behind, else 1.

    The first argument is "check", "test" or "ci"; behind "check" its parts may be named.
    """
    what, wanted = (arguments or [""])[0], arguments[1:] or [*STATIC, "tests"]
    unknown = [name for name in wanted if name not in (*STATIC, "tests")]
    if what not in ("check", "test", "ci") or unknown or (what != "check" and arguments[1:]):
        print(f"suite: say check, test or ci; check has the parts {', '.join(STATIC)} and tests", file=sys.stderr)
        return 2
    began = time.monotonic()
    with leftovers() as left:
        environment = environment_of(left)
        parts = check(environment, wanted) if what == "check" else test(environment, everything=what == "ci")
        behind = left.found()
    for part in parts:
        if part.code and part.output:
            print(f"\n-- {part.name}\n{part.output.rstrip()}")
    print()
    for part in parts:
        print(f"{part.name:<24} {in_minutes(part.seconds):>12}  {'FAILED' if part.code else 'ok'}")
    for note in (note for part in parts for note in part.notes):
        print(note)
    for line in behind:
        print(f"left behind: {line}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    computed = f"{used.ru_utime + used.ru_stime:.0f} s of processor time, load {os.getloadavg()[0]:.1f}"
    print(f"{'all':<24} {in_minutes(time.monotonic() - began):>12}  {computed}")
    return 1 if behind or any(part.code for part in parts) else 0


def end_children() -> None:
    """Tell the parts too: a signal that did not come from a terminal reached nothing but this process."""
    for child in psutil.Process().children():
        try:
            child.send_signal(signal.SIGINT)
        except psutil.NoSuchProcess:
            continue


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        end_children()
        sys.exit(130)
