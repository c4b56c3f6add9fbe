"""A program of the presenter's, on its way to a machine: one stream of bytes, checked there before it counts."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import BinaryIO

import asyncssh
import msgspec

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import boot
from rwk_tui.lab.remote.connection import Connection

_BLOCK = 1024 * 1024
_SILENT = 60.0
"""Seconds without any progress after which it is given up."""


class _Answer(msgspec.Struct):
    ok: bool = False
    error: str = ""
    errno: int | None = None
    free: int = 0


async def upload(connection: Connection, file: Path, path: str, sha256: str, arguments: tuple[str, ...]) -> None:
    """Install the file as a program at `path`, with a channel of its own so that it holds up nothing else.

    A second agent takes it as root: straight to its place, whatever the user we log in as may write. Raises LabError.
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
                await _send(process, source)
                async with asyncio.timeout(_SILENT):
                    said = await process.stdout.readline()
                    heard = said or await process.stderr.read()
            finally:
                process.close()
        except TimeoutError:
            raise LabError(f"{trouble}: nothing moves for {_SILENT:g} s") from None
        except (OSError, asyncssh.Error) as error:
            raise LabError(f"{trouble}: {connection.why or error}") from error
    if not said:
        raise LabError(f"{trouble}: {heard.decode(errors='replace').strip() or connection.why or 'it was cut off'}")
    answer = msgspec.json.decode(said, type=_Answer)
    if answer.errno in (errno.ENOSPC, errno.EDQUOT):
        needed, free = size / 1e6, answer.free / 1e6
        raise LabError(f"{trouble}: its disk is full, {free:.0f} MB are free and {needed:.0f} MB are needed")
    if not answer.ok:
        raise LabError(f"{trouble}: {answer.error}")


async def _send(process: asyncssh.SSHClientProcess[bytes], source: BinaryIO) -> None:
    try:
        while block := await asyncio.to_thread(source.read, _BLOCK):
            async with asyncio.timeout(_SILENT):
                process.stdin.write(block)
                await process.stdin.drain()
        process.stdin.write_eof()
    except BrokenPipeError:
        pass  # it takes no more of it, and says why
