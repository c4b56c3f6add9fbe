"""How patient Kubernetes is with a node, with a pod on a lost node, and with a leader of its control plane."""

from __future__ import annotations

from dataclasses import dataclass

from rwk_tui.settings import Settings


@dataclass(frozen=True, slots=True)
class Timings:
    """All in seconds.

    A node renews its Lease of `node_lease` four times in that span, and counts as unreachable `grace` after the last
    renewal, looked at every `monitor`; its pods are evicted after another `toleration`. A leader keeps the lease for
    `lease`, gives up when it could not renew it for `renew`, and others try every `retry`.
    """

    node_lease: int
    monitor: int
    grace: int
    toleration: int
    lease: float
    renew: float
    retry: float

    @property
    def eviction(self) -> int:
        """Seconds from a node's last word to the eviction of its pods, without what the loops add."""
        return self.grace + self.toleration


TELLING = Timings(node_lease=20, monitor=2, grace=20, toleration=30, lease=15, renew=10, retry=2)
"""About a minute to an eviction, to be talked through. Upstream's are 40, 5, 50 and 300; the leases are upstream's."""
FAST = Timings(node_lease=8, monitor=1, grace=8, toleration=5, lease=8, renew=6, retry=1)
"""As short as a busy laptop can keep: a leader whose API stands still for 3 s beside other work must not give up."""


def timings(settings: Settings) -> Timings:
    """Those that the settings ask for."""
    return FAST if settings.fast else TELLING
