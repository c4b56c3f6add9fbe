"""The body of a watch: lines of JSON that come in chunks, decoded in batches that don't hold up the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import msgspec

from rwk_tui.watch.kube.kinds import Change, Kind
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.kube.wire import Happened, Refusal, T, Wire

BATCH = 100
"""Lines that are decoded before others get their turn."""

_HAPPENED = msgspec.json.Decoder(Happened)
_MARK = msgspec.json.Decoder(Wire)
_REFUSAL = msgspec.json.Decoder(Refusal)


async def batches(chunk: Callable[[], Awaitable[bytes]], kind: Kind[T]) -> AsyncGenerator[Sequence[Change[T]], None]:
    """What the lines say, until `chunk` gives b"". Raises KubeError, with 410 where the version asked for is gone."""
    rest = b""
    while data := await chunk():
        lines = (rest + data).split(b"\n")
        rest = lines.pop()
        for start in range(0, len(lines), BATCH):
            if start:
                await asyncio.sleep(0)
            yield [change(line, kind) for line in lines[start : start + BATCH] if line]


def change(line: bytes, kind: Kind[T]) -> Change[T]:
    """What one line says."""
    try:
        happened = _HAPPENED.decode(line)
        match happened.type:
            case "ADDED" | "MODIFIED":
                item = kind.one.decode(happened.object)
                return Change("put", item.metadata.resource_version, item)
            case "DELETED":
                item = kind.one.decode(happened.object)
                return Change("gone", item.metadata.resource_version, item)
            case "BOOKMARK":
                return Change("bookmark", _MARK.decode(happened.object).metadata.resource_version)
            case "ERROR":
                said = _REFUSAL.decode(happened.object)
                line_of = said.message or said.reason
                raise KubeError(f"it answers {said.code}: {line_of}", trouble="answer", status=said.code)
    except msgspec.MsgspecError as error:
        raise KubeError(f"it answers what can't be read: {error}", trouble="answer", status=200) from None
    raise KubeError(f"it tells of a change that is not known: {happened.type}", trouble="answer", status=200)
