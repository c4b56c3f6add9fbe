"""A client of one etcd member over asyncio: small, typed, and with a deadline on everything."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

# Both must stand before the first import of protobuf and gRPC: etcd3's generated code needs the Python implementation
# of protobuf, and gRPC would print its connection troubles over the screen.
os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc  # type: ignore[import-untyped]
import grpc.aio  # type: ignore[import-untyped]
from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-untyped]

with warnings.catch_warnings():
    # The generated code builds its descriptors in a way that protobuf finds old-fashioned, several hundred times.
    warnings.simplefilter("ignore", DeprecationWarning)
    from etcd3.etcdrpc import rpc_pb2, rpc_pb2_grpc  # type: ignore[import-untyped]

from rwk_tui.cluster.access import Access
from rwk_tui.watch.answers import (
    Alarm,
    Etcd,
    Hash,
    KeyValue,
    Member,
    Page,
    Status,
    Written,
    hex_id,
    split_errors,
)
from rwk_tui.watch.refusals import EtcdError, translate

__all__ = ["Alarm", "Etcd", "EtcdClient", "EtcdError", "Hash", "KeyValue", "Member", "Page", "Status", "Written"]

CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
)
"""A member that comes back is noticed within half a second, not after gRPC's usual 20."""

# The generated code is older than these fields, so they arrive as unknown ones: number in Status and in Member.
STATUS_APPLIED, STATUS_ERRORS, STATUS_IN_USE, STATUS_LEARNER = 7, 8, 9, 10
MEMBER_LEARNER = 5


class EtcdClient:
    """One member, reached at host and port; with `access` over TLS, with certificates on both sides.

    Raises EtcdError if the files of `access` can't be read.
    """

    def __init__(self, host: str, port: int, access: Access | None = None) -> None:
        self._where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if access is None:
            self._channel = grpc.aio.insecure_channel(self._where, options=CHANNEL_OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(self._where, _credentials(access), options=CHANNEL_OPTIONS)
        self._kv = rpc_pb2_grpc.KVStub(self._channel)
        self._cluster = rpc_pb2_grpc.ClusterStub(self._channel)
        self._maintenance = rpc_pb2_grpc.MaintenanceStub(self._channel)

    async def status(self, *, timeout: float = 1.0) -> Status:
        """How the member stands, as it sees itself; answered without a quorum."""
        answer = await self._call(self._maintenance.Status, rpc_pb2.StatusRequest(), timeout)
        extra = _unknown(answer)
        errors, alarms = split_errors(tuple(line.decode(errors="replace") for line in extra.get(STATUS_ERRORS, ())))
        return Status(
            member_id=hex_id(answer.header.member_id),
            leader=hex_id(answer.leader),
            term=answer.raftTerm,
            cluster_id=hex_id(answer.header.cluster_id),
            version=answer.version,
            revision=answer.header.revision,
            raft_index=answer.raftIndex,
            applied_index=int(_last(extra, STATUS_APPLIED, answer.raftIndex)),
            db_size=answer.dbSize,
            db_in_use=int(_last(extra, STATUS_IN_USE, 0)),
            learner=bool(_last(extra, STATUS_LEARNER, 0)),
            errors=errors,
            alarms=alarms,
        )

    async def members(self, *, timeout: float = 1.0) -> tuple[Member, ...]:
        """The member list as this member knows it; answered without a quorum."""
        answer = await self._call(self._cluster.MemberList, rpc_pb2.MemberListRequest(), timeout)
        return tuple(
            Member(
                id=hex_id(member.ID),
                name=member.name,
                peer_urls=tuple(member.peerURLs),
                client_urls=tuple(member.clientURLs),
                learner=bool(_last(_unknown(member), MEMBER_LEARNER, 0)),
            )
            for member in answer.members
        )

    async def get(self, key: str, *, serializable: bool = False, timeout: float = 5.0) -> KeyValue | None:
        """The key's value, or None; `serializable` reads what this member has, without asking the others."""
        request = rpc_pb2.RangeRequest(key=key.encode(), serializable=serializable)
        answer = await self._call(self._kv.Range, request, timeout)
        return _key_value(answer.kvs[0]) if answer.kvs else None

    async def page(
        self,
        first: str,
        end: str,
        *,
        limit: int = 0,
        revision: int = 0,
        serializable: bool = False,
        timeout: float = 5.0,
    ) -> Page:
        """The keys from `first` up to but without `end` ("\\0": all that follow); `limit` and `revision` 0 mean any.

        `serializable` reads what this member has, without asking the others.
        """
        request = rpc_pb2.RangeRequest(
            key=first.encode(), range_end=end.encode(), limit=limit, revision=revision, serializable=serializable
        )
        answer = await self._call(self._kv.Range, request, timeout)
        return Page(tuple(_key_value(item) for item in answer.kvs), revision or answer.header.revision, answer.more)

    async def put(self, key: str, value: str, *, timeout: float = 5.0) -> Written:
        """Write one key; when this raises with `definite` False, the write may be done or may still happen."""
        request = rpc_pb2.PutRequest(key=key.encode(), value=value.encode())
        answer = await self._call(self._kv.Put, request, timeout)
        header = answer.header
        return Written(header.revision, hex_id(header.cluster_id), header.raft_term)

    async def delete(self, key: str, end: str = "", *, timeout: float = 5.0) -> int:
        """Delete one key, or the range up to `end`; returns how many keys went."""
        request = rpc_pb2.DeleteRangeRequest(key=key.encode(), range_end=end.encode())
        answer = await self._call(self._kv.DeleteRange, request, timeout)
        return int(answer.deleted)

    async def hashkv(self, revision: int = 0, *, timeout: float = 5.0) -> Hash:
        """The hash of what this member stores up to `revision` (0: all of it)."""
        answer = await self._call(self._maintenance.HashKV, rpc_pb2.HashKVRequest(revision=revision), timeout)
        return Hash(
            hex_id(answer.header.member_id),
            answer.hash,
            revision or answer.header.revision,
            answer.compact_revision,
        )

    async def close(self) -> None:
        """Let go of the connection."""
        await self._channel.close()

    async def _call(self, method: Callable[..., Awaitable[Any]], request: Any, timeout: float) -> Any:
        try:
            return await method(request, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise translate(error.code().name, error.details() or "", where=self._where, timeout=timeout) from None
        except grpc.RpcError as error:
            raise EtcdError(f"the connection to {self._where} broke", definite=False) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not we were cancelled but the call, because somebody else closed the channel meanwhile.
            raise EtcdError(f"the connection to {self._where} was closed", definite=False) from None


def _credentials(access: Access) -> Any:
    try:
        ca, cert, key = (path.read_bytes() for path in (access.ca, access.cert, access.key))
    except OSError as error:
        raise EtcdError(f"{error.filename}: {error.strerror}", definite=True) from error
    return grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)


def _key_value(item: Any) -> KeyValue:
    return KeyValue(
        key=item.key.decode(errors="replace"),
        value=item.value.decode(errors="replace"),
        create_revision=item.create_revision,
        mod_revision=item.mod_revision,
        version=item.version,
        raw=item.value,
    )


def _unknown(message: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for unknown in UnknownFieldSet(message):
        found.setdefault(unknown.field_number, []).append(unknown.data)
    return found


def _last(extra: dict[int, list[Any]], number: int, default: int) -> Any:
    return extra[number][-1] if number in extra else default
