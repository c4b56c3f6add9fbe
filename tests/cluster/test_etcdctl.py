"""How long etcdctl may wait for its answers."""

from __future__ import annotations

import pytest

from rwk_tui.cluster.etcdctl import patient


@pytest.mark.parametrize(
    ("command", "slack", "becomes"),
    [
        ("etcdctl get a", 4.0, "etcdctl --command-timeout=20s get a"),
        ("etcdctl --endpoints=x get etcdctl", 3.5, "etcdctl --command-timeout=17.5s --endpoints=x get etcdctl"),
        ("etcdctl get a", 3.0, "etcdctl get a"),
        ("etcdctl get a --command-timeout=2s", 4.0, "etcdctl get a --command-timeout=8s"),
        ("etcdctl get a --command-timeout=2s", 3.0, "etcdctl get a --command-timeout=2s"),
        ("env -u A etcdctl --command-timeout=0.5s get a", 4.0, "env -u A etcdctl --command-timeout=2s get a"),
        ("env -u A etcdctl get a", 4.0, "env -u A etcdctl get a"),
        ("etcdctl --command-timeout 2s get a", 4.0, "etcdctl --command-timeout 2s get a"),
        ("etcdctl --command-timeout=1m get a", 4.0, "etcdctl --command-timeout=1m get a"),
        ("kubectl get etcdctl", 4.0, "kubectl get etcdctl"),
        ("other --command-timeout=2s", 4.0, "other --command-timeout=2s"),
    ],
)
def test_it_waits_longer_on_a_slow_lab(command: str, slack: float, becomes: str) -> None:
    assert patient(command.split(), slack) == tuple(becomes.split())
