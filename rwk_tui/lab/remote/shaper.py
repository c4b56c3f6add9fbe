"""How a machine holds back what it sends to another: a queueing discipline with a band for each other machine.

The filter's table says which packets go through which band, by their priority; all others stay in the usual ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote.filter import CLASS, Peer

FIRST_BAND = 4
"""The first band that is none of the usual three, between which the kernel chooses by type of service."""
_RATE = "100gbit"
"""A rate makes netem keep the order of packets, whatever their jitter; this one is more than any machine sends."""
_LIMIT = 100_000
"""Packets that may wait: a minute's worth, where the usual 1,000 would be lost in a second."""

ROUTE = ("ip", "-json", "route", "get")
"""The command that, with an address, says through which device it is reached."""
SHOW = ("tc", "-json", "qdisc", "show")
"""The command that says which devices have which disciplines."""
LOAD = ("tc", "-batch", "-")
"""The command that reads `shape` or `unshape` on its standard input."""


def shape(devices: Mapping[str, str], peers: Sequence[Peer]) -> str:
    """What delays the peers that are to be delayed; `devices` are those to the peers, by peer's name."""
    lines = []
    late = [peer for peer in peers if peer.away.delay_ms]
    for device in sorted({devices[peer.name] for peer in late}):
        bands = max(peer.band for peer in peers)
        lines.append(f"qdisc replace dev {device} root handle {CLASS:x}: prio bands {bands}")
    # A band of a peer that is late no more stays: nothing is sent through it.
    lines += [
        f"qdisc replace dev {devices[peer.name]} parent {CLASS:x}:{peer.band:x} handle {CLASS + peer.band:x}: "
        f"netem limit {_LIMIT} delay {peer.away.delay_ms:g}ms {peer.away.jitter_ms:g}ms rate {_RATE}"
        for peer in late
    ]
    return "".join(f"{line}\n" for line in lines)


def unshape(devices: Sequence[str]) -> str:
    """What gives these devices their default discipline again."""
    return "".join(f"qdisc del dev {device} root\n" for device in devices)


def shaped(shown: str) -> tuple[str, ...]:
    """The devices that have our discipline, from the output of SHOW."""
    return tuple(str(each["dev"]) for each in _json(shown) if each.get("root") and each.get("handle") == f"{CLASS:x}:")


def refusal(machine: str, devices: Sequence[str], shown: str) -> str:
    """Why these devices must be left alone, from the output of SHOW: who gives them ours loses what was there for good.

    "" if they have nothing but the kernel's default, whose handle is 0:, or ours.
    """
    for each in _json(shown):
        own = each.get("handle") in ("0:", f"{CLASS:x}:")
        if each.get("root") and each.get("dev") in devices and not own:
            return (
                f"{machine}'s {each['dev']} has a queueing discipline of somebody's ({each.get('kind')} "
                f"{each.get('handle')}), which a delay would replace: remove it there "
                f"(tc qdisc del dev {each['dev']} root) or do without delays"
            )
    return ""


def device(routed: str) -> str:
    """The device of the answer of ROUTE. Raises LabError if it has none."""
    for route in _json(routed):
        if name := route.get("dev"):
            return str(name)
    raise LabError("no route to that machine")


def why_not(machine: str, said: str) -> str:
    """What it means that tc refused, in one line with what to do."""
    if "qdisc kind is unknown" in said or "qdisc not found" in said:
        return f"{machine}'s kernel has no netem to delay packets: install linux-modules-extra or use another box"
    return f"{machine} can't delay packets: {' '.join(said.split()) or 'tc failed and did not say why'}"


def _json(text: str) -> list[dict[str, object]]:
    try:
        answer = json.loads(text or "[]")
    except ValueError:
        return []
    return [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []
