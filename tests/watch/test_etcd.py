"""The client of a member, against a server that takes connections and never says a word."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from rwk_tui.watch.etcd import EtcdClient
from rwk_tui.watch.refusals import EtcdError

pytestmark = pytest.mark.process


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """Host and port of such a server."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield "127.0.0.1", server.getsockname()[1]


async def test_a_question_that_is_under_way_when_somebody_closes_the_client_fails_and_cancels_nobody(
    silent: tuple[str, int],
) -> None:
    client = EtcdClient(*silent)
    asking = asyncio.create_task(client.status(timeout=30.0))
    await asyncio.sleep(0.1)
    await client.close()
    async with asyncio.timeout(5):
        with pytest.raises(EtcdError, match="closed") as raised:
            await asking
    assert not raised.value.definite


async def test_one_who_is_cancelled_while_asking_is_cancelled(silent: tuple[str, int]) -> None:
    client = EtcdClient(*silent)
    asking = asyncio.create_task(client.status(timeout=30.0))
    await asyncio.sleep(0.1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await client.close()
