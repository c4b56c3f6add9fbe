"""Every kind of fault there is, by its name."""

from __future__ import annotations

from rwk_tui.faults.base import Fault
from rwk_tui.faults.machine import Destroy, PowerCut
from rwk_tui.faults.network import Partition
from rwk_tui.faults.process import KillUnit, PauseUnit

_ALL: tuple[Fault, ...] = (KillUnit(), PauseUnit(), PowerCut(), Partition(), Destroy())
KINDS: dict[str, Fault] = {kind.name: kind for kind in _ALL}
