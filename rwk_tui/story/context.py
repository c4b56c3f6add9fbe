"""What the story works with: the lab, the board, and the parts of watching and faults that it uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rwk_tui.board.hub import Hub
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import Lab
from rwk_tui.settings import Settings
from rwk_tui.watch.etcd import EtcdClient
from rwk_tui.watch.kube.protocol import Kube
from rwk_tui.watch.probes import Connect


class VerdictLike(Protocol):
    """What became of the acknowledged writes."""

    @property
    def acknowledged(self) -> int: ...

    @property
    def lost(self) -> int: ...

    @property
    def done(self) -> bool: ...

    @property
    def why(self) -> str: ...

    @property
    def known(self) -> str: ...


class GapLike(Protocol):
    """A time without an acknowledged write, in ms; `resolution` in s.

    For `still_ms` of it this computer itself stood still, `own_ms` is the rest.
    """

    @property
    def ms(self) -> float: ...

    @property
    def own_ms(self) -> float: ...

    @property
    def still_ms(self) -> float: ...

    @property
    def resolution(self) -> float: ...


class AftermathLike(Protocol):
    """What became of the writes of an epoch that a restore ended, by the backup's name ("" for none)."""

    @property
    def name(self) -> str: ...

    @property
    def acknowledged(self) -> int: ...

    @property
    def found(self) -> int: ...

    @property
    def gone(self) -> int: ...

    @property
    def exact(self) -> bool | None: ...

    @property
    def missing_before(self) -> Sequence[str]: ...

    @property
    def why(self) -> str: ...

    def words(self, source: str) -> str: ...


class CanaryLike(Protocol):
    """The client that keeps writing."""

    @property
    def aftermath(self) -> AftermathLike | None: ...

    def mark(self, name: str, revision: int) -> None: ...

    def restored(self, name: str) -> None: ...

    def new_epoch(self, why: str) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    async def verify(self) -> VerdictLike: ...

    def gaps(self, since: float) -> Sequence[GapLike]: ...


class ApiCanaryLike(Protocol):
    """The client that keeps writing through the API server."""

    def new_epoch(self, why: str) -> None: ...

    def gaps(self, since: float) -> Sequence[GapLike]: ...


class ExpectedLike(Protocol):
    """Knows what the presenter did, so that it can be told from an accident."""

    def disturb(self, machine: str, at: float) -> None: ...


class WatcherLike(Protocol):
    """What watches the lab."""

    @property
    def expected(self) -> ExpectedLike: ...

    @property
    def canary(self) -> CanaryLike: ...

    @property
    def api_canary(self) -> ApiCanaryLike: ...

    def kube_api(self) -> Kube | None: ...

    def alert(self, seconds: float = 10.0) -> None: ...

    def refresh(self) -> None: ...


class FaultsLike(Protocol):
    """The catalogue of faults."""

    async def inject(self, fault: str, target: str, confirm: str = "") -> Any: ...

    async def heal(self, id: str = "") -> Any: ...

    def forget(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a story acts on and looks at; `connect` makes a client of the member at host and port."""

    lab: Lab
    hub: Hub
    watcher: WatcherLike
    faults: FaultsLike
    settings: Settings
    site: Site
    connect: Connect = EtcdClient

    def within(self, seconds: float) -> float:
        """A deadline on this backend."""
        return seconds * self.lab.slack
