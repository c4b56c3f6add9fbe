"""How the presenter's own programs are let in where certificates are asked for."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Access:
    """Files in PEM: the authority that vouches for the servers, a client certificate and its key."""

    ca: Path
    cert: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """How to speak TLS with these. Reads the files: call it in a thread. Raises OSError."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(self.cert, self.key)
        return context
