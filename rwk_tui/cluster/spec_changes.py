"""Changes of a unit's configuration: some of its variables, and everything else as it is."""

from __future__ import annotations

from dataclasses import replace

from rwk_tui.cluster.restart import Change
from rwk_tui.lab.protocol import UnitSpec


def with_variable(name: str, value: str) -> Change:
    """Set a variable, whether or not it was set before."""

    def change(spec: UnitSpec) -> UnitSpec:
        return replace(spec, environment=(*_without((name,), spec), (name, value)))

    return change


def without_variables(*names: str) -> Change:
    """Leave out some variables."""
    return lambda spec: replace(spec, environment=_without(names, spec))


def _without(names: tuple[str, ...], spec: UnitSpec) -> tuple[tuple[str, str], ...]:
    return tuple(one for one in spec.environment if one[0] not in names)
