"""The client against a server that speaks TLS, answers, refuses, hangs and breaks off: what is said of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.watch_tls import Request, Served, served

from rwk_tui.cluster.access import Access
from rwk_tui.watch.kube.api import KubeApi
from rwk_tui.watch.kube.kinds import PODS, Change
from rwk_tui.watch.kube.protocol import Readiness
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.kube.wire import Pod

pytestmark = pytest.mark.process


def pod(name: str, version: int) -> bytes:
    return b'{"metadata":{"name":"%s","namespace":"default","resourceVersion":"%d"}}' % (name.encode(), version)


def line(type: str, item: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (type.encode(), item)


async def follow(kube: KubeApi, seen: list[Change[Pod]], *, seconds: float = 5.0, timeout: float = 5.0) -> None:
    """Watch the pods to the end, whatever it is."""
    async for batch in kube.watch(PODS, "10", seconds=seconds, timeout=timeout):
        seen.extend(batch)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as made:
        yield made


@pytest.fixture
async def kube(server: Served) -> AsyncIterator[KubeApi]:
    made = KubeApi(server.host, server.port, server.access, ("core-01",))
    yield made
    await made.close()


async def test_a_body_comes_raw_and_unpacked(server: Served, kube: KubeApi) -> None:
    server.handler = lambda request: request.answer(b'{"gitVersion": "v1.37.2"}')
    assert await kube.get("/version") == b'{"gitVersion": "v1.37.2"}'
    assert await kube.version() == "1.37.2"
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_patch_is_a_merge_patch(server: Served, kube: KubeApi) -> None:
    server.handler = lambda request: request.answer(b"{}")
    await kube.patch("/x", {"data": {"number": "7"}})
    request = server.requests[0]
    assert (request.method, request.headers["content-type"]) == ("PATCH", "application/merge-patch+json")
    assert request.body == b'{"data": {"number": "7"}}'


async def test_a_list_comes_page_by_page(server: Served, kube: KubeApi) -> None:
    async def handler(request: Request) -> None:
        second = ("continue", "to/ken==") in request.query
        more = "" if second else '"continue":"to/ken==",'
        items = pod("b", 2) if second else pod("a", 1)
        await request.answer(b'{"metadata":{%s"resourceVersion":"9"},"items":[%s]}' % (more.encode(), items))

    server.handler = handler
    pages = [page async for page in kube.pages(PODS, limit=1)]
    assert [(page.items[0].metadata.name, page.version, page.last) for page in pages] == [
        ("a", "9", False),
        ("b", "9", True),
    ]


async def test_an_empty_list_is_null(server: Served, kube: KubeApi) -> None:
    server.handler = lambda request: request.answer(b'{"metadata":{"resourceVersion":"9"},"items":null}')
    assert [page.items async for page in kube.pages(PODS)] == [[]]
    assert await kube.pods("default") == []


async def test_a_watch_puts_lines_together_that_came_in_pieces(server: Served, kube: KubeApi) -> None:
    whole = line("ADDED", pod("a", 11)) + line("DELETED", pod("a", 12)) + line("BOOKMARK", pod("", 13))
    server.handler = lambda request: request.stream(*(whole[at : at + 37] for at in range(0, len(whole), 37)))
    changes: list[Change[Pod]] = []
    await follow(kube, changes)
    assert [(one.what, one.version, one.item is None) for one in changes] == [
        ("put", "11", False),
        ("gone", "12", False),
        ("bookmark", "13", True),
    ]
    query = dict(server.requests[0].query)
    assert (query["resourceVersion"], query["allowWatchBookmarks"], query["timeoutSeconds"]) == ("10", "true", "5")


@pytest.mark.parametrize("inside", [True, False])
async def test_a_version_that_is_gone_is_told_apart(server: Served, kube: KubeApi, inside: bool) -> None:
    status = b'{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version: 1 (9)"}'

    async def handler(request: Request) -> None:
        if inside:
            await request.stream(line("ERROR", status))
        else:
            await request.answer(status, 410)

    server.handler = handler
    with pytest.raises(KubeError, match="it answers 410: too old resource version") as caught:
        await follow(kube, [])
    assert caught.value.gone


async def test_a_watch_that_is_never_ended_is_ended_here(server: Served, kube: KubeApi) -> None:
    server.handler = lambda request: request.stream(line("ADDED", pod("a", 11)), end=False)
    seen: list[Change[Pod]] = []
    with pytest.raises(KubeError, match="does not answer") as caught:
        await follow(kube, seen, seconds=0.2, timeout=0.2)
    assert len(seen) == 1
    assert caught.value.trouble == "silent"


async def test_a_watch_that_breaks_off_says_so(server: Served, kube: KubeApi) -> None:
    async def handler(request: Request) -> None:
        await request.stream(line("ADDED", pod("a", 11)), end=False)
        request.writer.transport.abort()

    server.handler = handler
    with pytest.raises(KubeError, match="the connection to the API server broke"):
        await follow(kube, [])


@pytest.mark.parametrize(
    ("status", "body", "words", "definite"),
    [
        (500, b'{"message":"etcdserver: request timed out"}', "it answers 500: request timed out", False),
        (403, b'{"message":"pods is forbidden"}', "it answers 403: pods is forbidden", True),
        (404, b'{"reason":"NotFound"}', "it answers 404: NotFound", True),
        (409, b"", "it answers 409", True),
        (503, b"shutting\n down", "it answers 503: shutting down", False),
    ],
)
async def test_what_it_refuses_is_said_in_its_words(
    server: Served, kube: KubeApi, status: int, body: bytes, words: str, definite: bool
) -> None:
    server.handler = lambda request: request.answer(body, status)
    with pytest.raises(KubeError) as caught:
        await kube.get("/api/v1/pods")
    error = caught.value
    assert (str(error), error.definite, error.status, error.trouble) == (words, definite, status, "answer")
    assert (error.forbidden, error.missing, error.conflict) == (status == 403, status == 404, status == 409)


async def test_one_that_hangs_is_given_up(server: Served, kube: KubeApi) -> None:
    async def handler(request: Request) -> None:
        await asyncio.sleep(60)

    server.handler = handler
    with pytest.raises(KubeError, match="the API server does not answer within 0.2 s") as caught:
        await kube.get("/x", timeout=0.2)
    assert not caught.value.definite


async def test_nothing_listens(server: Served, tmp_path: Path) -> None:
    kube = KubeApi("127.0.0.1", 1, server.access)
    with pytest.raises(KubeError, match="no API server listens") as caught:
        await kube.get("/x")
    assert caught.value.definite
    await kube.close()


async def test_an_answer_that_is_no_answer_is_said(server: Served, kube: KubeApi) -> None:
    server.handler = lambda request: request.answer(b"<html>")
    with pytest.raises(KubeError, match="it answers what can't be read"):
        await kube.version()


@pytest.mark.parametrize("lacking", ["file", "other authority", "stranger"])
async def test_certificates_that_do_not_fit(server: Served, tmp_path: Path, lacking: str) -> None:
    server.handler = lambda request: request.answer(b"{}")
    access = {
        "file": Access(server.access.ca, tmp_path / "nothing", server.access.key),
        "other authority": Access(server.access.cert, server.access.cert, server.access.key),
        "stranger": server.stranger,
    }[lacking]
    kube = KubeApi(server.host, server.port, access)
    with pytest.raises(KubeError) as caught:
        await kube.get("/x")
    assert caught.value.trouble in (("untrusted",) if lacking != "stranger" else ("untrusted", "broken"))
    await kube.close()


async def test_readiness_names_the_checks_that_do_not_pass(server: Served, kube: KubeApi) -> None:
    server.handler = lambda request: request.answer(b"[+]ping ok\nreadyz check passed")
    assert await kube.ready() == Readiness(True)
    body = b"[+]ping ok\n[-]etcd failed: reason withheld\n[-]etcd-readiness failed\n[-]informer-sync failed"
    server.handler = lambda request: request.answer(body, 500)
    assert await kube.ready() == Readiness(False, ("etcd", "informer-sync"))


async def test_where_etcd_hangs_readiness_is_known_all_the_same(server: Served, kube: KubeApi) -> None:
    async def handler(request: Request) -> None:
        if ("exclude", "etcd") not in request.query:
            await asyncio.sleep(60)
        await request.answer(b"[+]ping ok")

    server.handler = handler
    assert await kube.ready(timeout=0.2) == Readiness(False, ("etcd",))


async def test_one_that_is_frozen_answers_neither(server: Served, kube: KubeApi) -> None:
    async def handler(request: Request) -> None:
        await asyncio.sleep(60)

    server.handler = handler
    with pytest.raises(KubeError, match="does not answer"):
        await kube.ready(timeout=0.2)
