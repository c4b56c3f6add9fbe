"""What `rwk-tui doctor` prints: what works here, what does not, and what to do about it."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from rwk_tui.engines.report import look, needed_later
from rwk_tui.settings import BadInput, Settings, check_socket

_ETCD_PORTS = (2379, 2380)
_SMALL = (80, 24)
_VAGRANT_WITHIN = 20.0
_WIDE = len("kube-controller-manager")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; without a `needed` one the lab can't start. `advice` is "" where nothing is to be done."""

    what: str
    good: bool
    text: str
    advice: str = ""
    needed: bool = True


def examine_here(settings: Settings) -> Iterator[Finding]:
    """Look at everything a lab needs or profits from, without starting one."""
    version = platform.python_version()
    new_enough = sys.version_info >= (3, 11)
    yield Finding("python", new_enough, f"{version} at {sys.executable}", "" if new_enough else "take 3.11 or newer")
    yield from _engines(settings)
    yield _state(settings)
    yield _socket(settings)
    if settings.backend == "vagrant":
        yield _vagrant()
    if settings.backend == "local":
        yield from _addresses(settings)
        yield from _tools()
    yield _terminal()


def print_doctor(settings: Settings) -> int:
    """Print the findings; 0 if the lab could start, else 1."""
    startable = True
    for finding in examine_here(settings):
        startable = startable and (finding.good or not finding.needed)
        print(f"{'✓' if finding.good else '✗' if finding.needed else '–'} {finding.what:<{_WIDE}} {finding.text}")
        if finding.advice:
            print(f"  {'':<{_WIDE}} → {finding.advice}")
    print("the lab can start here" if startable else "the lab can't start here before every ✗ is mended")
    return 0 if startable else 1


def _engines(settings: Settings) -> Iterator[Finding]:
    report = look(settings)
    for row in report.rows:
        if row.used:
            yield Finding(row.name, True, f"{row.version} ({row.source}) {row.path}", row.remark)
    for name, why in needed_later(report).items():
        yield Finding(name, False, "the chapters that need it can't be told yet", why, needed=False)
    if report.problem:
        yield Finding("engines", False, "not all three of etcd's work", report.problem)


def _state(settings: Settings) -> Finding:
    """Whether the state directory, or the first parent that exists, can be written."""
    directory = settings.state
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    advice = "choose another with --state DIR or RWK_STATE"
    try:
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        return Finding("state", False, f"{settings.state}: {error.strerror}", advice)
    free = shutil.disk_usage(directory).free // 1_000_000
    if free < 1000:
        return Finding("state", False, f"{settings.state}: only {free} MB free", f"three members take 400 MB; {advice}")
    if not settings.state.exists():
        return Finding("state", True, f"{settings.state} will be made, {free} MB free")
    mode = settings.state.stat().st_mode & 0o777
    opened = f"others can look into it (mode {mode:o}): chmod 700 {settings.state}" if mode & 0o077 else ""
    return Finding("state", True, f"{settings.state}, mode {mode:o}, {free} MB free", opened)


def _socket(settings: Settings) -> Finding:
    try:
        check_socket(settings)
    except BadInput as error:
        return Finding("socket", False, "its path is too long", str(error))
    return Finding("socket", True, f"{len(os.fsencode(settings.socket))} bytes of path, which every system takes")


def _addresses(settings: Settings) -> Iterator[Finding]:
    if _lab_answers(settings):
        yield Finding("ports", True, f"a lab runs here already and holds them ({settings.socket})")
        return
    loopback = settings.addresses == "loopback" or (settings.addresses == "auto" and sys.platform == "linux")
    if not loopback:
        taken = [port for port in range(settings.base_port, settings.base_port + 60) if _bind("127.0.0.1", port)]
        advice = "set base_port (RWK_BASE_PORT) to where 60 ports in a row are free" if taken else ""
        text = f"taken: {', '.join(map(str, taken))}" if taken else f"{settings.base_port} and up are free"
        yield Finding("ports", not taken, text, advice)
        return
    addresses = [f"127.{net}.{settings.subnet}.10{number}" for net in (0, 1, 2) for number in (1, 2, 3)]
    refused = [address for address in addresses if _bind(address, 0)]
    text = f"127.x.{settings.subnet}.101 to 103 can be listened on"
    if refused:
        yield Finding("loopback", False, f"{refused[0]} can't be listened on", "take one address: RWK_ADDRESSES=ports")
        return
    yield Finding("loopback", True, text)
    busy = [(host, port) for host in addresses for port in _ETCD_PORTS if _bind(host, port) == errno.EADDRINUSE]
    if busy:
        where = f"{busy[0][0]}:{busy[0][1]}"
        yield Finding("ports", False, f"{where} is taken{_holder(*busy[0])}", "end that, or choose another RWK_SUBNET")
    else:
        yield Finding("ports", True, f"{' and '.join(map(str, _ETCD_PORTS))} are free on all of them")


def _bind(address: str, port: int) -> int:
    """The error number of listening there, 0 if it works."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            return error.errno or -1
    return 0


def _holder(address: str, port: int) -> str:
    """Which process listens there, in words, as far as this user may know."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
                continue
            if connection.laddr.port == port and connection.laddr.ip in (address, "0.0.0.0", "::"):
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""


def _lab_answers(settings: Settings) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(settings.socket))
        except OSError:
            return False
    return True


def _vagrant() -> Finding:
    """Whether there is a Vagrant that runs; which providers work is only known once it is asked for a machine."""
    path = shutil.which("vagrant")
    advice = "install it with a provider such as VirtualBox or libvirt, or take --backend local"
    if path is None:
        return Finding("vagrant", False, "not on PATH", advice)
    try:
        ran = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_VAGRANT_WITHIN)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("vagrant", False, f"{path} does not run: {error}", advice)
    said = (ran.stdout.strip() or ran.stderr.strip()).splitlines()[-1:]
    words = said[0] if said else "it says nothing"
    return Finding("vagrant", ran.returncode == 0, f"{words} ({path})", "" if ran.returncode == 0 else advice)


def _tools() -> Iterator[Finding]:
    for name, use in (("setpriv", "ends engines at once when the daemon dies"), ("strace", "slows a disk down")):
        path = shutil.which(name)
        missing = "a watchdog does it instead" if name == "setpriv" else "not needed for these chapters"
        yield Finding(name, bool(path), f"{path or 'not found'} ({use})", "" if path else missing, needed=False)


def _terminal() -> Finding:
    if not sys.stdout.isatty():
        return Finding("terminal", False, "stdout is none", "only the cockpit needs one", needed=False)
    columns, lines = shutil.get_terminal_size()
    colours = "NO_COLOR is set" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM") or "256 colours or fewer"
    text = f"{columns}x{lines}, {os.environ.get('TERM', 'no TERM')}, {colours}"
    big_enough = columns >= _SMALL[0] and lines >= _SMALL[1]
    return Finding("terminal", big_enough, text, "" if big_enough else "the cockpit needs 80x24", needed=False)
