"""A client of Kubernetes over asyncio: small, typed, and with a deadline on everything."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import msgspec

from rwk_tui.cluster.access import Access
from rwk_tui.watch.kube.kinds import Change, Kind, Page
from rwk_tui.watch.kube.lines import batches
from rwk_tui.watch.kube.protocol import PAGE, Readiness
from rwk_tui.watch.kube.reads import Reads
from rwk_tui.watch.kube.refusals import KubeError, broken, no_answer, no_listener, refusal, untrusted
from rwk_tui.watch.kube.wire import T, Version

if TYPE_CHECKING:
    import aiohttp
    from kubernetes.aio.client import ApiClient

R = TypeVar("R")

SERVER_NAME = "kubernetes"
"""The name that every API server's certificate carries, by whatever address it is reached."""
FAILING = re.compile(r"^\[-\](\S+)", re.MULTILINE)
ETCD_CHECKS = ("etcd", "etcd-readiness")
BUFFER = 2**18
"""Bytes that a connection may be ahead of us: more would only be decoded in one go."""


class KubeApi(Reads):
    """Whatever serves Kubernetes at host and port, let in with `access`; `machines` are the names of the lab's.

    Nothing is imported, read or connected before the first request.
    """

    def __init__(self, host: str, port: int, access: Access, machines: Collection[str] = ()) -> None:
        self._where = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self._access = access
        self.machines = machines
        self._client: ApiClient | None = None
        self._making = asyncio.Lock()

    async def get(self, path: str, *, timeout: float = 5.0) -> bytes:
        return await self._call("GET", path, timeout=timeout)

    async def patch(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        kind = "application/merge-patch+json"
        return await self._call("PATCH", path, timeout=timeout, body=body, content_type=kind)

    async def put(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        return await self._call("PUT", path, timeout=timeout, body=body)

    async def create(self, path: str, body: Mapping[str, Any], *, timeout: float = 5.0) -> bytes:
        return await self._call("POST", path, timeout=timeout, body=body)

    async def pages(self, kind: Kind[T], *, limit: int = PAGE, timeout: float = 10.0) -> AsyncGenerator[Page[T], None]:
        query: dict[str, object] = {"limit": limit}
        while True:
            body = await self._call("GET", kind.path, timeout=timeout, query=query)
            page = _decode(kind.page.decode, body)
            more = page.metadata.next
            yield Page(page.items or [], page.metadata.resource_version, not more)
            if not more:
                return
            query = {"limit": limit, "continue": more}

    async def watch(
        self, kind: Kind[T], version: str, *, seconds: float = 60.0, timeout: float = 5.0
    ) -> AsyncGenerator[Sequence[Change[T]], None]:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": max(1, round(seconds)),
        }
        client = await self._ready_client()
        end = asyncio.get_running_loop().time() + seconds + timeout
        response = await self._within(timeout, self._open(client, "GET", kind.path, query=query))

        async def chunk() -> bytes:
            left = end - asyncio.get_running_loop().time()
            data: bytes = await self._within(max(0.0, left), response.content.readany())
            return data

        try:
            async with aclosing(batches(chunk, kind)) as found:
                async for batch in found:
                    yield batch
        finally:
            response.close()  # not given back: whatever was still to come is not for the next request

    async def ready(self, *, timeout: float = 1.0) -> Readiness:
        """See Kube. Where etcd hangs, /readyz takes seconds, so it is asked again without etcd's checks."""
        query: list[tuple[str, object]] = [("verbose", "true")]
        try:
            return await self._readiness(query, timeout)
        except KubeError as error:
            if error.trouble != "silent":
                raise
        query += [("exclude", name) for name in ETCD_CHECKS]
        without = await self._readiness(query, timeout)
        return Readiness(False, ("etcd", *without.failing))

    async def _readiness(self, query: Sequence[tuple[str, object]], timeout: float) -> Readiness:
        try:
            await self._call("GET", "/readyz", timeout=timeout, query=query, accept="text/plain", raw_refusal=True)
        except _NotOk as answer:
            failing = tuple(FAILING.findall(answer.body.decode(errors="replace")))
            if answer.status < 500:
                raise refusal(answer.status, answer.body) from None
            return Readiness(False, tuple(name for name in failing if name != "etcd-readiness"))
        return Readiness(True)

    async def version(self, *, timeout: float = 1.0) -> str:
        body = await self._call("GET", "/version", timeout=timeout)
        return _decode(msgspec.json.Decoder(Version).decode, body).git_version.removeprefix("v")

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call]

    async def _call(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        query: Mapping[str, object] | Sequence[tuple[str, object]] = (),
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        raw_refusal: bool = False,
    ) -> bytes:
        client = await self._ready_client()

        async def ask() -> tuple[int, bytes]:
            response = await self._send(client, method, path, query, body, content_type, accept)
            return response.status, await response.read()

        answer: tuple[int, bytes] = await self._within(timeout, ask())
        status, data = answer
        if status >= 400:
            raise _NotOk(status, data) if raw_refusal else refusal(status, data)
        return data

    async def _open(
        self, client: ApiClient, method: str, path: str, *, query: Mapping[str, object]
    ) -> aiohttp.ClientResponse:
        response = await self._send(client, method, path, query, None, "application/json", "application/json")
        if response.status >= 400:
            raise refusal(response.status, await response.read())
        return response

    async def _send(
        self,
        client: ApiClient,
        method: str,
        path: str,
        query: Mapping[str, object] | Sequence[tuple[str, object]],
        body: Mapping[str, Any] | None,
        content_type: str,
        accept: str,
    ) -> aiohttp.ClientResponse:
        from aiohttp import ClientTimeout

        url = f"{self._where}{path}" + (f"?{urlencode(query)}" if query else "")
        # Packing is switched off: unpacking a page would take longer here than its bytes take over the wire.
        headers = {"Accept": accept, "Content-Type": content_type, "Accept-Encoding": "identity"}
        answer = await client.call_api(method, url, headers, dict(body) if body is not None else None, None,
                                       ClientTimeout(total=None), _preload_content=False)  # fmt: skip
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _within(self, timeout: float, work: Any) -> Any:
        """The result of `work`, with whatever goes wrong on the way said as KubeError."""
        import aiohttp

        try:
            async with asyncio.timeout(timeout):
                return await work
        except TimeoutError:
            raise no_answer(round(timeout, 1)) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise untrusted(_reason(error.certificate_error)) from None
        except aiohttp.ClientConnectorSSLError as error:
            raise untrusted(_reason(error.os_error)) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ConnectionResetError | BrokenPipeError):
                raise broken(definite=True) from None
            raise no_listener() from None
        except (aiohttp.ClientError, ConnectionError, ssl.SSLError) as error:
            if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
                raise untrusted(_reason(error)) from None
            raise broken() from None

    async def _ready_client(self) -> ApiClient:
        async with self._making:
            if self._client is None:
                try:
                    self._client = await asyncio.to_thread(_make, self._where, self._access)
                except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
                    raise untrusted(_reason(error)) from None
            return self._client


class _NotOk(Exception):
    """An answer with a status of 400 and more, as it came."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def _make(where: str, access: Access) -> ApiClient:
    """The client below: in a thread, since its import takes longer than the loop may stand still."""
    from kubernetes.aio.client import ApiClient, Configuration

    configuration = Configuration(
        host=where,
        ssl_ca_cert=str(access.ca),
        tls_server_name=SERVER_NAME,
        # Its environment's proxies are not for the lab.
        client_session_kwargs={"trust_env": False, "read_bufsize": BUFFER},
    )
    configuration.cert_file, configuration.key_file = str(access.cert), str(access.key)
    return ApiClient(configuration)


def _decode(decode: Callable[[bytes], R], body: bytes) -> R:
    try:
        return decode(body)
    except msgspec.MsgspecError as error:
        raise KubeError(f"it answers what can't be read: {error}", trouble="answer", status=200) from None


def _reason(error: BaseException) -> str:
    found: str | None = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
    return found or str(error) or type(error).__name__
