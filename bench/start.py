"""The first things a user waits for: `--help` against an empty Python, the first frame against a hello-world app."""

from __future__ import annotations

import subprocess
import sys
import time

from harness import COMMAND, Terminal, environment, lab_state, pairs

HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("hello-world")
Hello().run()
"""


def whole(argv: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    return time.monotonic() - started


def first_frame(argv: list[str], mark: str) -> float:
    with lab_state() as state:
        terminal = Terminal(argv, environment(state))
        try:
            return terminal.until(mark, 30)
        finally:
            terminal.close()


def main() -> None:
    ours, bare, ratio = pairs(15, lambda: whole([*COMMAND, "--help"]), lambda: whole([sys.executable, "-c", "pass"]))
    print(f"--help        {ours}\nempty python  {bare}\nratio         {ratio}  wanted <= 4")
    ours, bare, ratio = pairs(
        9,
        lambda: first_frame(list(COMMAND), "Machines"),
        lambda: first_frame([sys.executable, "-c", HELLO], "hello-world"),
    )
    print(f"first frame   {ours}\nhello world   {bare}\nratio         {ratio}  wanted <= 1.3")


if __name__ == "__main__":
    main()
