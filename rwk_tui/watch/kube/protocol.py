"""What the watch asks of a client of Kubernetes; a test pretends one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rwk_tui.board.kube_rows import DeploymentRow, LeaseRow, NodeRow, PodRow
from rwk_tui.cluster.access import Access
from rwk_tui.watch.kube.kinds import Change, Kind, Page
from rwk_tui.watch.kube.wire import T

PAGE = 500
"""Objects in one page of a list: their decoding must not hold up the loop."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer to /readyz: whether all checks pass, and those that don't."""

    ready: bool
    failing: tuple[str, ...] = ()


class Kube(Protocol):
    """A client of one API server, or of whichever serves. Every method raises KubeError and keeps its deadline (s)."""

    async def get(self, path: str, *, timeout: float = 5.0) -> bytes:
        """The raw body at that path."""

    async def patch(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        """Merge `body` into the object at that path; returns what it is then."""

    async def put(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        """Replace the object at that path."""

    async def create(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        """Create an object in the collection at that path."""

    def pages(self, kind: Kind[T], *, limit: int = PAGE, timeout: float = 10.0) -> AsyncGenerator[Page[T], None]:
        """The collection, page by page; `timeout` holds for each page."""

    def watch(
        self, kind: Kind[T], version: str, *, seconds: float = 60.0, timeout: float = 5.0
    ) -> AsyncGenerator[Sequence[Change[T]], None]:
        """What happens to the collection after `version`, in batches, for about `seconds`; then it ends.

        The server is asked to end it after `seconds`; if it has not `timeout` s later, KubeError is raised.
        """

    async def ready(self, *, timeout: float = 1.0) -> Readiness:
        """How its /readyz stands. Raises KubeError only if it does not answer."""

    async def version(self, *, timeout: float = 1.0) -> str:
        """Its version, such as "1.37.2"."""

    async def nodes(self, *, timeout: float = 5.0) -> list[NodeRow]: ...

    async def pods(self, namespace: str = "", *, timeout: float = 5.0) -> list[PodRow]:
        """The pods of one namespace, or of all."""

    async def deployments(self, namespace: str = "", *, timeout: float = 5.0) -> list[DeploymentRow]: ...

    async def lease(self, name: str, *, timeout: float = 5.0) -> LeaseRow | None:
        """That lease of the control plane; None if there is none."""

    async def close(self) -> None:
        """Let go of all connections."""


ConnectKube = Callable[[str, int, Access, Collection[str]], Kube]
"""Makes a client for host, port, certificates and the names of the lab's machines; connects when first used."""
