"""How the presenter's own programs are let in where certificates are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Access:
    """Files in PEM: the authority that vouches for the servers, a client certificate and its key."""

    ca: Path
    cert: Path
    key: Path
