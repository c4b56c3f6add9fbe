"""The pages that users read, and the commands in them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
_COMMAND = re.compile(r"^ +(?:eval \"\$\()?(rwk-tui(?: [^─\n]*)?|make [a-z-]+.*)$", re.MULTILINE)
_INLINE = re.compile(r"`(rwk-tui [^`]+|make [a-z-]+)`")


def commands(page: Path) -> list[list[str]]:
    """Every command of a page as words, without comments."""
    text = page.read_text("utf-8")
    found = [*_COMMAND.findall(text), *(" ".join(each.split()) for each in _INLINE.findall(text))]
    return [shlex.split(re.split(r"\s+#|\)\"", each)[0]) for each in found]
