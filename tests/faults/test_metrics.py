"""What a member counts of itself: the sum of one metric, and what is said where there is none to ask."""

from __future__ import annotations

import asyncio

import pytest
from support.faults_world import FaultsWorld

from rwk_tui.faults import metrics
from rwk_tui.watch.refusals import EtcdError

pytestmark = pytest.mark.process

TEXT = """
# TYPE etcd_network_disconnected_peers_total counter
etcd_network_disconnected_peers_total{Local="a1",Remote="b2"} 3
etcd_network_disconnected_peers_total{Local="a1",Remote="c3"} 4
etcd_network_disconnected_peers_total_more{Local="a1"} 100
etcd_server_leader_changes_seen_total 1
go_memstats_alloc_bytes 1.2e+07
"""


def test_a_metric_is_added_up_over_its_labels() -> None:
    assert metrics.total(TEXT, "etcd_network_disconnected_peers_total") == 7
    assert metrics.total(TEXT, "etcd_server_leader_changes_seen_total") == 1
    assert metrics.total(TEXT, "go_memstats_alloc_bytes") == 12_000_000
    assert metrics.total(TEXT, "no_such_metric") == 0


async def serve(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> asyncio.Server:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer if asked.startswith(b"GET /metrics HTTP/1.0\r\n") else b"what?")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    place = server.sockets[0].getsockname()

    async def reach(port: int) -> tuple[str, int]:
        assert port == 2379
        return place[0], place[1]

    monkeypatch.setattr(world.lab.fakes["core-01"], "reach", reach)
    return server


async def test_a_member_is_asked(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async with await serve(world, monkeypatch, b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n" + TEXT.encode()):
        assert await metrics.counted(world.ground, "core-01", "etcd_network_disconnected_peers_total") == 7


async def test_whatever_is_no_answer_is_an_error_of_etcd(world: FaultsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async with await serve(world, monkeypatch, b"HTTP/1.0 503 No\r\n\r\n"):
        with pytest.raises(EtcdError, match="no metrics of core-01: it answers HTTP/1.0 503 No"):
            await metrics.counted(world.ground, "core-01", "any")
    with pytest.raises(EtcdError, match="no metrics of core-01"):
        await metrics.counted(world.ground, "core-01", "any")  # nobody listens any more
    with pytest.raises(EtcdError, match="no metrics of core-09"):
        await metrics.counted(world.ground, "core-09", "any")
