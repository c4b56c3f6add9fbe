"""Kubeconfigs: which server, which authority vouches for it, and whose certificate is shown to it."""

from __future__ import annotations

import yaml

NAME = "rwk"


def kubeconfig(*, server: str, ca: str, cert: str, key: str, user: str) -> bytes:
    """A kubeconfig that names files by their paths where it will be read."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority": ca}}],
        "users": [{"name": user, "user": {"client-certificate": cert, "client-key": key}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": user}}],
    }
    return yaml.safe_dump(document, sort_keys=False).encode()
