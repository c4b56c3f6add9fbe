"""The rules as text, and what nft itself makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.lab import eventually
from support.remote_net import NetMachine, net_lab

from rwk_tui.lab.protocol import LabError, UnitSpec
from rwk_tui.lab.remote.filter import Flow, Peer, table

OWN = ("10.0.0.1",)
PLAIN, CUT = Flow(), Flow(cut=True)


def peer(away: Flow = PLAIN, back: Flow = PLAIN, *ranges: str, guards: bool = True) -> Peer:
    return Peer("core-02", ranges or ("10.0.0.2",), 5, away, back, guards)


def chain(text: str, name: str) -> list[str]:
    """The rules of one chain."""
    lines = [line.strip() for line in text.splitlines()]
    start = lines.index(f"chain {name} {{") + 1
    return lines[start : lines.index("}", start)]


def test_where_nothing_is_wanted_the_table_goes() -> None:
    assert table(OWN, [peer()]) == "table inet rwk\ndelete table inet rwk\n"
    assert table(OWN, [peer(CUT)]).startswith("table inet rwk\ndelete table inet rwk\ntable inet rwk {\n")


@pytest.mark.parametrize("flow", [CUT, Flow(delay_ms=5), Flow(loss=1)])
def test_port_22_passes_before_anything_else(flow: Flow) -> None:
    text = table(OWN, [peer(flow, flow)])
    for name in ("to_core_02", "from_core_02"):
        assert chain(text, name)[:2] == ["tcp sport 22 return", "tcp dport 22 return"]


def test_only_what_goes_between_two_machines_is_looked_at() -> None:
    text = table(
        (*OWN, "10.1.1.0/24"), [peer(CUT, Flow(), "10.0.0.2", "10.1.2.0/24"), Peer("core-03", (), 6, Flow(), Flow())]
    )
    assert "core_03" not in text
    ours, theirs = "{ 10.0.0.1/32, 10.1.1.0/24 }", "{ 10.0.0.2/32, 10.1.2.0/24 }"
    assert chain(text, "output")[1:] == [f"ip daddr {theirs} jump to_core_02"]
    assert chain(text, "forward")[1:] == [f"ip saddr {ours} ip daddr {theirs} jump to_core_02"]
    assert chain(text, "prerouting")[1:] == [f"ip saddr {theirs} ip daddr {ours} jump from_core_02"]


def test_each_direction_has_its_own_part() -> None:
    text = table(OWN, [peer(Flow(delay_ms=5, loss=0.5), Flow(delay_ms=5, loss=0.25))])
    assert chain(text, "to_core_02")[-1] == "meta priority set 7277:5", "a delay is the sender's"
    assert chain(text, "from_core_02")[-1] == "numgen random mod 1000000 < 250000 drop", "a loss is the receiver's"


def test_what_is_cut_one_way_is_held_where_it_arrives_or_where_nobody_else_does() -> None:
    assert chain(table(OWN, [peer(CUT)]), "to_core_02")[-1] == "jump dials"
    assert chain(table(OWN, [peer(CUT, guards=False)]), "to_core_02")[-1] == "jump hold"
    assert chain(table(OWN, [peer(Flow(), CUT)]), "from_core_02")[-1] == "jump hold"
    assert chain(table(OWN, [peer(CUT, CUT)]), "from_core_02")[-1] == "drop"


def test_a_name_is_no_address() -> None:
    with pytest.raises(LabError, match="core-02.example is no IP address"):
        table(OWN, [peer(CUT, Flow(), "core-02.example")])


@pytest.mark.process
async def test_nft_takes_all_of_it(tmp_path: Path) -> None:
    flows = [CUT, Flow(delay_ms=5, jitter_ms=1), Flow(loss=0.001), Flow(loss=1), Flow(cut=True, delay_ms=1, loss=0.5)]
    # What lies in another range must be named once only.
    mixed = ("10.0.0.2", "10.0.0.0/24", "fd00::2", "fd01::/64")
    async with net_lab(tmp_path / "net") as lab:
        machine = lab.machines["core-01"]
        for away in (Flow(), *flows):
            for back in flows:
                text = table((*OWN, "fd00::1"), [peer(away, back, *mixed), peer(away, back)])
                done = await machine.exec("nft", "-f", "-", input=text.encode())
                assert not done.code, (done.err, text)


@pytest.mark.process
async def test_an_ipv6_link_is_cut_one_way(tmp_path: Path) -> None:
    async with net_lab(tmp_path / "net") as lab:
        one, two = lab.machines["core-01"], lab.machines["core-02"]
        for machine, address in ((one, "fd77::1"), (two, "fd77::2")):
            machine.also = (address,)
            await machine.exec("ip", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
            server = machine.unit("server")
            await server.configure(UnitSpec("server", ("python3", "-S", "-c", SERVER)))
            await server.start()

        async def dial(source: NetMachine, target: str) -> str:
            return (await source.exec("python3", "-S", "-c", DIAL, target)).out.strip()

        async def both_serve() -> bool:
            return [await dial(one, "fd77::2"), await dial(two, "fd77::1")] == ["hello", "hello"]

        await eventually(both_serve)
        await lab.link("core-01", "core-02").cut()
        for machine in (one, two):  # so that neighbours must be found anew
            await machine.exec("ip", "-6", "neigh", "flush", "dev", "eth0")
        assert await dial(one, "fd77::2") == "no answer"
        assert await dial(two, "fd77::1") == "connected", "it hears, and its answer does not get out"
        await lab.link("core-01", "core-02").heal()
        assert await both_serve()


SERVER = """
import socket
with socket.create_server(("::", 8000), family=socket.AF_INET6) as server:
    while True:
        connection, _ = server.accept()
        connection.send(b"hello")
"""
DIAL = """
import socket, sys
said = "no answer"
try:
    with socket.create_connection((sys.argv[1], 8000), 1) as connection:
        said = "connected"
        said = connection.recv(9).decode()
except OSError:
    pass
print(said)
"""
