"""A program that pretends to be Vagrant: it notes how it was called and answers what it was told to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.programs import script

BODY = """
here='{here}'
echo "$*" >>"$here/calls"
for file in "$here/$1-$2" "$here/$1"; do
  [ -f "$file.sh" ] && {{ . "$file.sh"; break; }}
done
for file in "$here/$1-$2" "$here/$1"; do
  if [ -f "$file.code" ]; then
    cat "$file.out"
    cat "$file.err" >&2
    exit "$(cat "$file.code")"
  fi
done
exit 0
"""
MAKES_MACHINES = """
machine="$PWD/.vagrant/machines/$2/${3#--provider=}"
case "$machine" in */) machine="${machine}lxc";; esac
mkdir -p "$machine" && echo made >"$machine/id"
"""


class FakeVagrant:
    """Vagrant as the first program on PATH; what it answers is looked up by "VERB-MACHINE", then by "VERB"."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        script(directory / "bin" / "vagrant", BODY.format(here=directory))
        monkeypatch.setenv("PATH", f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def answers(self, to: str, out: str = "", err: str = "", code: int = 0) -> None:
        """Have it print that and end."""
        for kind, text in (("out", out), ("err", err), ("code", str(code))):
            (self.directory / f"{to}.{kind}").write_text(text)

    def does(self, to: str, lines: str) -> None:
        """Have it run these lines of shell, with its arguments; what it answers comes after that."""
        (self.directory / f"{to}.sh").write_text(lines)

    @property
    def calls(self) -> list[str]:
        """How it was called, in order."""
        noted = self.directory / "calls"
        return noted.read_text().splitlines() if noted.exists() else []
