"""What is said to tc, and what is read of its answers."""

from __future__ import annotations

import pytest

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import shaper
from rwk_tui.lab.remote.filter import Flow, Peer


def peer(name: str, band: int, away: Flow) -> Peer:
    return Peer(name, ("10.0.0.9",), band, away, Flow(delay_ms=7))


def test_each_late_peer_has_a_band_of_its_own_and_the_rest_keeps_the_usual_ones() -> None:
    peers = (peer("core-02", 5, Flow(delay_ms=200, jitter_ms=50)), peer("core-03", 6, Flow(delay_ms=0.5)))
    lines = shaper.shape({"core-02": "eth1", "core-03": "eth1"}, peers).splitlines()
    assert lines == [
        "qdisc replace dev eth1 root handle 7277: prio bands 6",
        "qdisc replace dev eth1 parent 7277:5 handle 727c: netem limit 100000 delay 200ms 50ms rate 100gbit",
        "qdisc replace dev eth1 parent 7277:6 handle 727d: netem limit 100000 delay 0.5ms 0ms rate 100gbit",
    ]


def test_who_is_not_late_needs_nothing() -> None:
    assert shaper.shape({}, (peer("core-02", 5, Flow(cut=True, loss=0.5)),)) == ""


def test_only_devices_that_have_ours_are_undone() -> None:
    shown = """[{"kind":"noqueue","handle":"0:","dev":"lo","root":true},
        {"kind":"prio","handle":"7277:","dev":"eth1","root":true},
        {"kind":"netem","handle":"727c:","dev":"eth1","parent":"7277:5"},
        {"kind":"prio","handle":"1:","dev":"eth2","root":true}]"""
    assert shaper.shaped(shown) == ("eth1",)
    assert shaper.unshape(("eth1",)) == "qdisc del dev eth1 root\n"
    assert shaper.shaped("") == shaper.shaped("no JSON") == ()


def test_what_somebody_gave_a_device_is_left_alone() -> None:
    shown = """[{"kind":"mq","handle":"0:","dev":"eth0","root":true},
        {"kind":"fq_codel","handle":"0:","dev":"eth0","parent":":1"},
        {"kind":"prio","handle":"7277:","dev":"eth1","root":true},
        {"kind":"htb","handle":"1:","dev":"eth2","root":true},
        {"kind":"fq","handle":"8001:","dev":"eth2","parent":"1:1"}]"""
    assert shaper.refusal("core-01", ("eth0", "eth1"), shown) == ""
    refused = shaper.refusal("core-01", ("eth0", "eth2"), shown)
    assert refused.startswith("core-01's eth2 has a queueing discipline of somebody's (htb 1:)") and "\n" not in refused


def test_the_device_is_that_of_the_route() -> None:
    assert shaper.device('[{"dst":"10.0.0.2","dev":"eth1","prefsrc":"10.0.0.1"}]') == "eth1"
    with pytest.raises(LabError, match="no route"):
        shaper.device("[]")


def test_a_kernel_without_netem_is_named_with_what_to_do() -> None:
    assert "core-01's kernel has no netem" in shaper.why_not("core-01", "Error: Specified qdisc kind is unknown.\n")
    assert "Operation not permitted" in shaper.why_not("core-01", "RTNETLINK answers: Operation not permitted\n")
