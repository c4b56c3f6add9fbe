"""Engines that are scripts, and a server of release files on loopback that can be told to misbehave."""

from __future__ import annotations

import hashlib
import io
import platform
import re
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.programs import script

from rwk_tui.engines.cache import write_manifest
from rwk_tui.engines.pins import EnginePin
from rwk_tui.engines.progress import Progress
from rwk_tui.engines.upstreams import UPSTREAMS, upstream_of
from rwk_tui.settings import Settings

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")
"""What release files call this machine's kind."""


def says(program: str, version: str) -> str:
    """The line in which the real program tells its version."""
    if program == "kubectl":
        return f"Client Version: v{version}"
    if program == "kwok":
        return f"kwok version v{version} go1.26.8 (linux/amd64)"
    return f"Kubernetes v{version}" if upstream_of(program).name == "kubernetes" else f"{program} version: {version}"


def fake_program(path: Path, version: str) -> Path:
    """A script that says it is the program after which its file is named."""
    return script(path, f"echo '{says(path.name, version)}'")


def fake_install(settings: Settings, upstream: str, version: str, *, without: tuple[str, ...] = ()) -> Path:
    """A finished install in the cache, of scripts."""
    directory = settings.engine_cache / f"{upstream}-{version}"
    names = [name for name in (*UPSTREAMS[upstream].programs, *UPSTREAMS[upstream].extra) if name not in without]
    for name in names:
        fake_program(directory / name, version)
    write_manifest(directory, names, version=version)
    return directory


class Notes:
    """A front that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[Progress] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def show(self, progress: Progress) -> None:
        self.shown.append(progress)

    def states(self, engine: str) -> list[str]:
        """Each state that the engine went through, once."""
        return list(dict.fromkeys(progress.state for progress in self.shown if progress.engine == engine))


@dataclass
class Mirror:
    """What a server of release files holds and how it behaves; `asked` is every request: path and Range header.

    `breaks` maps a path to how many bytes each of its next answers gives before the connection ends, `stalls` to how
    many its next answer gives before it falls silent.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    stalls: dict[str, int] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    ignores_range: bool = False
    status: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ranges(self, path: str) -> list[str]:
        """The Range header of each request for a path."""
        return [header for asked, header in self.asked if asked == path]


@contextmanager
def serving() -> Iterator[Mirror]:
    """A server on loopback, as long as it lasts."""
    mirror = Mirror()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, mirror)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield mirror
    finally:
        mirror.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, mirror: Mirror) -> None:
    path, asked = request.path, request.headers.get("Range", "")
    mirror.asked.append((path, asked))
    request.close_connection = True
    if path in mirror.redirects:
        request.send_response(302)
        request.send_header("Location", mirror.redirects[path])
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    body = mirror.files.get(path)
    if body is None or mirror.status:
        request.send_error(mirror.status or 404)
        return
    found = None if mirror.ignores_range else re.fullmatch(r"bytes=(\d+)-", asked)
    start = int(found[1]) if found else 0
    if found and start >= len(body):
        request.send_error(416)
        return
    request.send_response(206 if found else 200)
    if found:
        request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
    request.send_header("Content-Length", str(len(body) - start))
    request.end_headers()
    if path in mirror.stalls:
        request.wfile.write(body[start : start + mirror.stalls.pop(path)])
        mirror.over.wait(30)
        return
    limits = mirror.breaks.get(path)
    request.wfile.write(body[start:] if not limits else body[start : start + limits.pop(0)])


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def archive(members: Mapping[str, bytes]) -> bytes:
    """A tar.gz with those files, quickly rather than well packed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for name, body in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return out.getvalue()


def program_body(program: str, version: str, *, padding: int = 0) -> bytes:
    """A script as bytes, made longer by a comment where a test needs many."""
    return f"#!/bin/sh\necho '{says(program, version)}'\n#{'x' * padding}\n".encode()


def publish(mirror: Mirror, pin: EnginePin, *, version: str = "", padding: int = 0) -> None:
    """Serve that pin's release as its project does, for Linux on this machine; `version` is what the programs say."""
    words = {"version": pin.version, "system": "linux", "arch": ARCH}
    bodies = {name: program_body(name, version or pin.version, padding=padding) for name in pin.programs}
    template = pin.release.files["linux"]
    if pin.release.member:
        members = {pin.release.member.format(program=name, **words): body for name, body in bodies.items()}
        files = {template.format(**words): archive({"README.md": b"read me", **members})}
    else:
        files = {template.format(program=name, **words): body for name, body in bodies.items()}
    for path, body in files.items():
        mirror.files[f"/{path}"] = body
        sums = "/" + pin.release.sums.format(file=path, version=pin.version)
        line = digest(body) + (f"  {path.rpartition('/')[2]}\n" if pin.release.member else "")
        mirror.files[sums] = line.encode()
