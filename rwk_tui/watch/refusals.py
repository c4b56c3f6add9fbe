"""What etcd or the network said no with, in words that an audience understands."""

from __future__ import annotations

CONNECT_FAILED = ("failed to connect to all addresses", "connection refused", "name resolution failure")
"""The connection never stood, so nothing was sent: the outcome is known."""

GIVEN_UP = "rst_stream with error code 8"
"""The server knows the deadline too and sometimes hangs up first: HTTP/2's CANCEL (RFC 9113, section 7)."""

SURELY_REFUSED = frozenset(
    {"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "INVALID_ARGUMENT", "PERMISSION_DENIED", "UNAUTHENTICATED"}
    | {"UNIMPLEMENTED", "NOT_FOUND", "OUT_OF_RANGE"}
)
"""Status codes with which etcd turns a request down before it proposes anything."""

WORDS = (
    ("possibly due to previous leader failure", "etcd gave up waiting: the leader failed meanwhile"),
    ("possibly due to connection lost", "etcd gave up waiting: its peers are cut off"),
    ("request timed out", "etcd gave up waiting for a majority"),
    ("no leader", "no leader"),
    ("leader changed", "the leader changed meanwhile"),
    ("not leader", "it is no longer the leader"),
    ("server stopped", "etcd is shutting down"),
    ("database space exceeded", "etcd's space quota is used up"),
    ("unhealthy cluster", "etcd refuses to reshape an unhealthy cluster"),
    ("rpc not supported for learner", "a learner does not serve this"),
    ("too many requests", "etcd has too many requests waiting"),
)


class EtcdError(Exception):
    """A request that etcd did not answer well: one plain line; `definite` tells that it surely was not done."""

    def __init__(self, line: str, *, definite: bool) -> None:
        super().__init__(line)
        self.definite = definite


def translate(code: str, details: str, *, where: str, timeout: float) -> EtcdError:
    """The error for a gRPC status `code` (its name) and `details`, asked of `where` (host:port) within `timeout` s."""
    said = details.lower()
    if code == "DEADLINE_EXCEEDED" or GIVEN_UP in said:
        return EtcdError(f"no answer within {timeout:g} s", definite=False)
    if code == "UNAVAILABLE" and any(mark in said for mark in CONNECT_FAILED):
        if "timed out" in said or "timeout" in said or "deadline" in said:
            return EtcdError(f"no connection to {where}", definite=True)
        if "handshake" in said:
            return EtcdError(f"no TLS with {where}: one side does not accept the other", definite=True)
        return EtcdError(f"refused: nothing listens on {where}", definite=True)
    definite = code in SURELY_REFUSED
    for mark, words in WORDS:
        if mark in said:
            return EtcdError(words, definite=definite)
    if code == "UNAVAILABLE" or "rst_stream" in said:
        return EtcdError(f"the connection to {where} broke", definite=False)
    line = " ".join(details.removeprefix("etcdserver: ").split()) or code.replace("_", " ").lower()
    return EtcdError(line, definite=definite)
