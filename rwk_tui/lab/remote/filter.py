"""What a machine's kernel is to do with the packets of the other machines, as one nftables table of ours.

Only what goes between the lab's machines is looked at, by address, and port 22 is let through before anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from rwk_tui.lab.protocol import LabError

TABLE = "inet rwk"
"""The table's family and name; nothing else on the machine is touched."""
CLASS = 0x7277
"""The major number of the queueing discipline whose bands hold back what is delayed."""
_MILLION = 1_000_000
_CLEAR = f"table {TABLE}\ndelete table {TABLE}\n"
"""Removes the table and is harmless where there is none: a table is made anew only if it is not there."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What one direction is to do with its packets; `loss` is a share, 0 to 1, the times are in ms."""

    cut: bool = False
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Peer:
    """Another machine as this one sees it: its address and ranges, the band for what is late, and both directions.

    It `guards` if it is known to enforce what is wanted, too.
    """

    name: str
    ranges: tuple[str, ...]
    band: int
    away: Flow
    back: Flow
    guards: bool = True

    @property
    def plain(self) -> bool:
        """Whether nothing is to be done about it."""
        return self.away == self.back == Flow()

    @property
    def apart(self) -> bool:
        """Whether nothing passes in either direction."""
        return self.away.cut and self.back.cut


def table(own: Sequence[str], peers: Sequence[Peer]) -> str:
    """The input of `nft -f -` that replaces our table in one go, or removes it where there is nothing to do.

    `own` are the machine's address and ranges. Raises LabError if an address is none.
    """
    busy = [peer for peer in peers if not peer.plain]
    if not busy:
        return _CLEAR
    output, forward, prerouting = [], [], []
    chains = _hold()
    for peer in busy:
        name = peer.name.replace("-", "_")
        chains += _chain(f"to_{name}", _SPARED + _away(peer)) + _chain(f"from_{name}", _SPARED + _back(peer))
        for family, theirs in _by_family(peer.ranges).items():
            ours = _by_family(own).get(family)
            output.append(f"{family} daddr {theirs} jump to_{name}")
            if ours:
                forward.append(f"{family} saddr {ours} {family} daddr {theirs} jump to_{name}")
                prerouting.append(f"{family} saddr {theirs} {family} daddr {ours} jump from_{name}")
    # What leaves is seen as it is after a service's address was replaced by a pod's, what arrives as it was sent.
    chains += _chain("output", ["type filter hook output priority filter", *output])
    chains += _chain("forward", ["type filter hook forward priority filter", *forward])
    chains += _chain("prerouting", ["type filter hook prerouting priority mangle", *prerouting])
    return _CLEAR + "\n".join([f"table {TABLE} {{", *chains, "}", ""])


_SPARED = [
    "tcp sport 22 return",
    "tcp dport 22 return",
    # Without these an IPv6 neighbour could not be found in the direction that is open.
    "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return",
]


def _away(peer: Peer) -> list[str]:
    rules = []
    if peer.apart:
        # Whoever still speaks on a connection is told that it is broken, those in pods too, whose sockets are not ours
        # to close; a new dial gets no answer, as in a network that is down.
        rules += ["tcp flags & (syn | ack) == syn drop", "meta l4proto tcp reject with tcp reset", "drop"]
    elif peer.away.cut:
        # Of bytes that are dropped before they leave TCP knows at once, and then acknowledges nothing any more without
        # them. So the other machine drops them where it can.
        rules += ["jump dials" if peer.guards else "jump hold"]
    if peer.away.delay_ms:
        rules += [f"meta priority set {CLASS:x}:{peer.band:x}"]
    return rules


def _back(peer: Peer) -> list[str]:
    rules = []
    if peer.apart:
        rules += ["drop"]
    elif peer.back.cut:
        rules += ["jump hold"]
    if peer.back.loss:
        # Packets are lost where they arrive: of one that is dropped before it leaves, TCP knows at once.
        lost = round(peer.back.loss * _MILLION)
        rules += ["drop" if lost == _MILLION else f"numgen random mod {_MILLION} < {lost} drop"]
    return rules


def _hold() -> list[str]:
    """What becomes of a direction that is cut while the other is open.

    Bytes must wait and none may be lost, so segments that carry any are dropped until TCP sends them at a time at which
    they pass. Acknowledgements of what comes in the other direction pass, and so do answers to dials from there. An
    acknowledgement is told by its length, which is exactly that of its headers.
    """
    dials = ["meta l4proto != tcp drop", "tcp flags & (syn | ack) == syn drop"]
    headers = [(words, 4 * words) for words in range(5, 16)]
    bare = [f"tcp doff {words} ip length {length + 20} return" for words, length in headers]
    bare += [f"tcp doff {words} ip6 length {length} return" for words, length in headers]
    # Told so, TCP tries again without waiting longer each time (RFC 6069); it ends no connection.
    held = ["meta nfproto ipv4 reject with icmp host-unreachable", "drop"]
    passes = [
        "tcp flags & (syn | ack) == (syn | ack) return",
        "tcp flags & (rst | ack) == (rst | ack) tcp sequence 0 return",  # a refusal: only what answers a dial has that
        "tcp flags & (fin | rst | psh) != 0x0 goto held",
        *bare,
    ]
    return _chain("dials", dials) + _chain("held", held) + _chain("hold", ["jump dials", *passes, "goto held"])


def _chain(name: str, rules: Iterable[str]) -> list[str]:
    return [f"  chain {name} {{", *(f"    {rule}" for rule in rules), "  }"]


def _by_family(ranges: Sequence[str]) -> dict[str, str]:
    """The ranges as a set for each family, "ip" and "ip6", that there are any of."""
    v4: list[IPv4Network] = []
    v6: list[IPv6Network] = []
    for text in ranges:
        try:
            net = ip_network(text, strict=False)
        except ValueError:
            raise LabError(f"{text} is no IP address: links between machines need one for each") from None
        if isinstance(net, IPv4Network):
            v4.append(net)
        else:
            v6.append(net)
    # What lies in another range must not be named twice: nft refuses that.
    sets = {"ip": list(map(str, collapse_addresses(v4))), "ip6": list(map(str, collapse_addresses(v6)))}
    return {family: "{ " + ", ".join(nets) + " }" for family, nets in sets.items() if nets}
