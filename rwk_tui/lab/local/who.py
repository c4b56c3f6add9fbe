"""Who dialled: from the two addresses of a connection to the process that opened it, and so to its machine."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from rwk_tui.lab.host import procs
from rwk_tui.lab.host.address import Address

# From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h; the inode is the last field of inet_diag_msg.
_SOCK_DIAG, _BY_FAMILY, _REQUEST, _HEADER = 4, 20, 1, 16
_INODE_AT = _HEADER + 4 + 48 + 16


class Dialler:
    """Answers for each new connection, in a thread of its own.

    `leaders` gives the session leaders that run now with their machines.
    """

    def __init__(self, leaders: Callable[[], Mapping[int, str]]) -> None:
        self._leaders = leaders
        self._thread: ThreadPoolExecutor | None = None

    async def machine_at(self, local: Address, remote: Address) -> str:
        """The machine whose process has the connection from `local` to `remote`; "" if it is the presenter's."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "who-dialled")
        find = _find_linux if procs.LINUX else find_portable
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, find, local, remote, dict(self._leaders())
        )

    def close(self) -> None:
        """Let the thread go; the next question makes another."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None


def _members(leaders: Mapping[int, str]) -> Iterable[tuple[int, str]]:
    """Every process with its machine: the leaders first, for it is nearly always one of them."""
    yield from leaders.items()
    for pid, session in procs.sessions().items():
        if session in leaders and pid not in leaders:
            yield pid, leaders[session]


def find_portable(local: Address, remote: Address, leaders: Mapping[int, str]) -> str:
    """The same answer from psutil, for systems without /proc."""
    for pid, machine in _members(leaders):
        try:
            sockets = psutil.Process(pid).net_connections(kind="tcp")
        except psutil.Error:
            continue
        for entry in sockets:
            if entry.laddr and entry.raddr and entry.laddr.port == local.port and entry.raddr.port == remote.port:
                return machine
    return ""


def _find_linux(local: Address, remote: Address, leaders: Mapping[int, str]) -> str:
    inode = inode_by_question(local, remote) or inode_by_table(local, remote)
    if not inode:
        return ""
    wanted = f"socket:[{inode}]"
    for pid, machine in _members(leaders):
        if _holds(pid, wanted):
            return machine
    return ""


def inode_by_question(local: Address, remote: Address) -> int:
    """The inode of the socket with these two addresses, asked of the kernel (sock_diag); 0 if it does not say.

    Some microseconds, where reading the kernel's table takes milliseconds however few sockets there are.
    """
    any_cookie = struct.pack("=3I", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # an interface of 0 is any, too
    ports = struct.pack(">HH", local.port, remote.port)
    hosts = b"".join(socket.inet_aton(address.host).ljust(16, b"\0") for address in (local, remote))
    question = struct.pack("=4BI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + ports + hosts + any_cookie
    header = struct.pack("=IHHII", _HEADER + len(question), _BY_FAMILY, _REQUEST, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
            kernel.settimeout(1)
            kernel.send(header + question)
            answer = kernel.recv(8192)
    except (AttributeError, OSError):
        return 0
    if len(answer) < _INODE_AT + 4 or struct.unpack_from("=IH", answer)[1] != _BY_FAMILY:
        return 0
    return int(struct.unpack_from("=I", answer, _INODE_AT)[0])


def inode_by_table(local: Address, remote: Address) -> int:
    """The same from the kernel's tables, for where the question is not answered; 0 if there is no such socket."""
    here, there = _hex(local), _hex(remote)
    for table, prefix in (("tcp", ""), ("tcp6", "0000000000000000FFFF0000")):
        try:
            text = Path(f"/proc/self/net/{table}").read_text()
        except OSError:
            continue
        at = text.find(f" {prefix}{here} {prefix}{there} ")
        if at >= 0:
            # local, remote, state, queues, timer, retransmissions, user, timeout, inode
            return int(text[at:].split(None, 9)[8])
    return 0


def _hex(address: Address) -> str:
    # The kernel prints the address as it lies in memory.
    number = int.from_bytes(socket.inet_aton(address.host), procs.BYTE_ORDER)
    return f"{number:08X}:{address.port:04X}"


def _holds(pid: int, wanted: str) -> bool:
    directory = f"/proc/{pid}/fd"
    try:
        names = os.listdir(directory)  # noqa: PTH208 - a hundred paths a connection are not worth being objects
    except OSError:
        return False
    for name in names:
        try:
            if os.readlink(f"{directory}/{name}") == wanted:  # noqa: PTH115
                return True
        except OSError:
            continue
    return False
