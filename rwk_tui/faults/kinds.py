"""Every kind of fault there is, by its name, in the order in which they are offered."""

from __future__ import annotations

from rwk_tui.board.card_row import DOMAINS
from rwk_tui.faults.base import Fault
from rwk_tui.faults.certificates import ExpiredCertificate, ForeignCertificate
from rwk_tui.faults.control_plane import KillApiServer, KillLeaseHolder
from rwk_tui.faults.crash_loop import CrashLoop
from rwk_tui.faults.disk_corruption import SilentCorruption
from rwk_tui.faults.disk_damage import DamagedDb, DamagedWal
from rwk_tui.faults.disk_directory import LostDirectory, OldDirectory
from rwk_tui.faults.disk_slow import SlowDisk
from rwk_tui.faults.disk_space import NoSpace
from rwk_tui.faults.drain import Drain
from rwk_tui.faults.machine import Destroy, Halt, PowerCut
from rwk_tui.faults.network import OneWay, Partition, Split
from rwk_tui.faults.network_breaks import Flapping, Resets
from rwk_tui.faults.network_quality import Delay, Jitter, Loss
from rwk_tui.faults.nodes import KillKubelet
from rwk_tui.faults.overload import Overload
from rwk_tui.faults.process import KillUnit, PauseUnit
from rwk_tui.faults.quorum import LoseTwo, LoseTwoForever

_ALL: tuple[Fault, ...] = (
    KillUnit(),
    PauseUnit(),
    CrashLoop(),
    Halt(),
    PowerCut(),
    Destroy(),
    Partition(),
    OneWay(),
    Split(),
    Delay(),
    Jitter(),
    Resets(),
    Flapping(),
    Loss(),
    KillLeaseHolder(),
    KillApiServer(),
    Overload(),
    KillKubelet(),
    Drain(),
    LoseTwo(),
    LoseTwoForever(),
    SlowDisk(),
    NoSpace(),
    DamagedDb(),
    DamagedWal(),
    SilentCorruption(),
    OldDirectory(),
    LostDirectory(),
    ExpiredCertificate(),
    ForeignCertificate(),
)
KINDS: dict[str, Fault] = {kind.name: kind for kind in sorted(_ALL, key=lambda kind: DOMAINS.index(kind.domain))}
