"""A program of the presenter's, on its way to a machine: one stream of bytes, checked there before it counts."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from pathlib import Path
from typing import BinaryIO

import asyncssh
import msgspec

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import boot
from rwk_tui.lab.remote.connection import Connection
from rwk_tui.lab.remote.pace import BLOCK, Pace

_SILENT = 60.0
"""Seconds without any progress after which it is given up."""


class ContactLost(LabError):
    """There is no contact any more in the middle of it."""


class _Answer(msgspec.Struct):
    ok: bool = False
    taken: int | None = None
    error: str = ""
    errno: int | None = None
    free: int = 0


async def upload(connection: Connection, file: Path, path: str, sha256: str, arguments: tuple[str, ...]) -> None:
    """Install the file as a program at `path`, with a channel of its own that never fills the connection.

    A second agent takes it as root: straight to its place, whatever the user we log in as may write.
    Raises ContactLost, which is a LabError, or LabError.
    """
    machine = connection.machine
    trouble = f"{file.name} can't be installed on {machine}"
    try:
        source = await asyncio.to_thread(file.open, "rb")
        size = os.fstat(source.fileno()).st_size
    except OSError as error:
        raise LabError(f"{trouble}: {error.strerror}: {file}") from error
    with source:
        try:
            process = await connection.ssh.create_process(boot.command(connection.login.user), encoding=None)
            try:
                process.stdin.write(boot.first_words([*arguments, "--receive", path, str(size), sha256]))
                answer = await _send(process, source)
            finally:
                process.close()
        except TimeoutError:
            raise LabError(f"{trouble}: nothing moves for {_SILENT:g} s") from None
        except (OSError, asyncssh.Error, msgspec.MsgspecError, LabError) as error:
            if connection.lost.is_set():
                raise ContactLost(f"{trouble}: {connection.why}") from error
            raise LabError(f"{trouble}: {error}") from error
    if answer.errno in (errno.ENOSPC, errno.EDQUOT):
        needed, free = size / 1e6, answer.free / 1e6
        raise LabError(f"{trouble}: its disk is full, {free:.0f} MB are free and {needed:.0f} MB are needed")
    if not answer.ok:
        raise LabError(f"{trouble}: {answer.error}")


async def _send(process: asyncssh.SSHClientProcess[bytes], source: BinaryIO) -> _Answer:
    """What the other side says in the end; nothing is sent before it runs, and then only as fast as it takes it."""
    pace = Pace()
    while (answer := await _heard(process)).taken is not None:
        pace.took(answer.taken, time.monotonic())
        with contextlib.suppress(BrokenPipeError):  # it takes no more of it, and says why
            while pace.is_open:
                block = await asyncio.to_thread(source.read, BLOCK)
                if not block:
                    process.stdin.write_eof()
                    break
                pace.sent(len(block), time.monotonic())
                process.stdin.write(block)
    return answer


async def _heard(process: asyncssh.SSHClientProcess[bytes]) -> _Answer:
    async with asyncio.timeout(_SILENT):
        if said := await process.stdout.readline():
            return msgspec.json.decode(said, type=_Answer)
        heard = await process.stderr.read()
    raise LabError(heard.decode(errors="replace").strip() or "it was cut off")
