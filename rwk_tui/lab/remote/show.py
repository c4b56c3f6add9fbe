"""What is done on machines with systemd, as commands that a person would type there."""

from __future__ import annotations

from rwk_tui.lab.host import show
from rwk_tui.lab.protocol import UnitSpec, UnitVerb

_SYSTEMCTL = {
    "start": "enable --now",
    "stop": "disable --now",
    "restart": "restart",
    "kill": "kill --signal=KILL",
    "pause": "kill --signal=STOP",
    "resume": "kill --signal=CONT",
}


def unit(verb: UnitVerb, spec: UnitSpec, machine: str) -> str:
    """What is typed for a unit; where that begins it, preceded by what systemd then runs."""
    name = f"rwk-{spec.name}"
    typed = f"sudo systemctl {_SYSTEMCTL[verb]} {name}  # on {machine}"
    if verb not in ("start", "restart"):
        return typed
    runs = show.laid_out(show.command(spec.argv, spec.environment))
    first, *rest = f"{name}.service runs: {runs}".split("\n")
    return "\n".join([f"# {first}", *(f"#   {line.strip()}" for line in rest), typed])
