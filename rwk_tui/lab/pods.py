"""Where the pods of a machine are, on backends whose workers run real containers."""

from __future__ import annotations


def pod_range(machine: str) -> str:
    """The addresses of the pods on a machine: what is cut off from it is cut off from them too.

    Not 10.0.N.0/24: 10.0.2.0/24 is where VirtualBox puts the way out of each of its machines.
    """
    return f"10.244.{int(machine.rpartition('-')[2])}.0/24"
