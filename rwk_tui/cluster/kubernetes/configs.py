"""The kubeconfig of a unit, as a file that its machine is given."""

from __future__ import annotations

from functools import partial

from rwk_tui.cluster import roles
from rwk_tui.cluster.files import File
from rwk_tui.cluster.kubernetes.kubeconfig import kubeconfig
from rwk_tui.cluster.roles import Papers
from rwk_tui.lab.protocol import Machine


def config_file(machine: Machine, unit: str, papers: Papers, server: str) -> File:
    """How a unit speaks to that server: as the one whom its certificate names."""
    content = partial(
        kubeconfig,
        server=server,
        ca=roles.place(machine, "kubernetes", "ca.crt"),
        cert=roles.place(machine, "kubernetes", f"{papers.file}.crt"),
        key=roles.place(machine, "kubernetes", f"{papers.file}.key"),
        user=papers.identity.name,
    )
    return File(f"etc/kubernetes/{unit}.conf", content)
