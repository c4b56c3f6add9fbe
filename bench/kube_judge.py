"""Says when a control plane is ready, whoever started it: /readyz is ok, and somebody holds both leases."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LEASES = ("kube-controller-manager", "kube-scheduler")
PAUSE = 0.02
"""Seconds between two questions."""


@dataclass(slots=True)
class Door:
    """An API server, let in with the certificates in a directory once they are there."""

    host: str
    port: int
    pki: Path
    why: str = "not asked yet"
    _open: http.client.HTTPSConnection | None = field(default=None, init=False)

    def get(self, path: str) -> bytes | None:
        """What it answers with 200, else None; `why` says what was wrong."""
        try:
            if self._open is None:
                self._open = http.client.HTTPSConnection(self.host, self.port, timeout=2, context=self._trust())
            self._open.request("GET", path)
            answer = self._open.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            self.why = f"{path}: {error}"
            return None
        if answer.status != 200:
            self.why = f"{path}: {answer.status} {body[-120:]!r}"
            return None
        return body

    def close(self) -> None:
        """Let go of the connection."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        context.check_hostname = False
        context.load_cert_chain(self.pki / "admin.crt", self.pki / "admin.key")
        return context


@dataclass(frozen=True, slots=True)
class Ready:
    """Seconds from the start until the API was ready, and until both leases were held, too."""

    api: float
    leases: float


def until_ready(
    door: Door,
    started: float,
    *,
    within: float = 90.0,
    alive: Callable[[], str] = str,
    then: Callable[[], object] = bool,
) -> Ready:
    """Ask until all is there, and call `then` when the API is. SystemExit with what was seen last.

    `alive` says in words what has died meanwhile.
    """
    api, held = 0.0, dict.fromkeys(LEASES, "")
    while True:
        passed = time.monotonic() - started
        dead = alive()
        if dead or passed > within:
            raise SystemExit(f"waited {passed:.1f} s for a control plane; saw {door.why}, leases {held}; {dead}")
        if not api and door.get("/readyz") == b"ok":
            api = time.monotonic() - started
            then()
        if api and all(held[name] or _holder(door, name, held) for name in LEASES):
            door.close()
            return Ready(api, time.monotonic() - started)
        time.sleep(PAUSE)


def _holder(door: Door, name: str, held: dict[str, str]) -> str:
    body = door.get(f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}")
    held[name] = (json.loads(body)["spec"].get("holderIdentity") or "") if body is not None else ""
    return held[name]
