"""Fetch one file over HTTP: it goes on where an earlier try stopped, and is not believed before its checksum fits."""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import IO

from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.cache import sha256
from rwk_tui.engines.room import NoRoom

SILENCE = 30.0
"""Seconds without a byte after which a connection is given up."""
TRIES = 5
"""How often a file is asked for anew while each try brings it further."""
_PAUSE = 1.0
_CHUNK = 256 * 1024
_SUMS = 1_000_000

OnBytes = Callable[[int, int], None]
"""Called with how many bytes there are and how many there will be (0 if the server does not say)."""


class NotServed(EngineError):
    """The server answered that it has no such file."""


class Unreachable(EngineError):
    """Nobody answered there: other files of the same server need not be tried."""


def fetch_text(url: str) -> str:
    """A small text, such as a list of checksums. Raises EngineError, in one line with the URL."""
    with _said_plainly(url), _open(url, 0) as answer:
        text: bytes = answer.read(_SUMS + 1)
    if len(text) > _SUMS:
        raise EngineError(f"{url}: is too long for checksums")
    return text.decode("utf-8", "replace")


def fetch(url: str, part: Path, checksum: str, on_bytes: OnBytes) -> None:
    """Bring `part` to the whole file with that SHA-256; what it holds already is kept and gone on from.

    Raises EngineError; a file with a wrong checksum is deleted, an incomplete one stays for the next run.
    """
    if part.exists() and sha256(part) == checksum:
        return
    resumed = part.exists()
    _until_whole(url, part, on_bytes)
    found = sha256(part)
    if found != checksum and resumed:
        # What an earlier run left may be of another file, such as one since replaced on the server.
        part.unlink()
        _until_whole(url, part, on_bytes)
        found = sha256(part)
    if found != checksum:
        part.unlink()
        raise EngineError(f"{url}: is damaged or not the real one: its SHA-256 is {found}, not {checksum}")


def _until_whole(url: str, part: Path, on_bytes: OnBytes) -> None:
    """Ask again from where it broke off, while that brings it further."""
    for left in reversed(range(TRIES)):
        before = part.stat().st_size if part.exists() else 0
        try:
            with _said_plainly(url):
                _one_try(url, part, on_bytes)
                return
        except (NotServed, NoRoom):
            raise
        except EngineError:
            if not left or (part.stat().st_size if part.exists() else 0) <= before:
                raise
        time.sleep(_PAUSE)


def _one_try(url: str, part: Path, on_bytes: OnBytes) -> None:
    have = part.stat().st_size if part.exists() else 0
    try:
        answer = _open(url, have)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            error.close()
            return  # there is no more of it: the checksum will tell
        raise
    with answer:
        start = _begins_at(answer.headers) if answer.status == http.client.PARTIAL_CONTENT else 0
        if start != have:
            start = 0 if answer.status == http.client.OK else have
            if answer.status != http.client.OK:
                raise EngineError(f"{url}: the server sent another part than was asked for")
        length = answer.headers.get("Content-Length")
        whole = start + int(length) if length and length.isdigit() else 0
        with part.open("ab" if start else "wb") as file:
            have = start
            while chunk := _read(answer):
                file.write(chunk)
                have += len(chunk)
                on_bytes(have, whole)
    if have < whole:
        raise EngineError(
            f"{url}: broke off after {have / 1e6:.1f} of {whole / 1e6:.1f} MB; try again, it goes on there"
        )


def _read(answer: http.client.HTTPResponse) -> bytes:
    """What comes next, b"" at the end: also at one that came too early, which the length tells."""
    try:
        return answer.read(_CHUNK)
    except http.client.IncompleteRead as error:
        return error.partial


def _open(url: str, start: int) -> http.client.HTTPResponse:
    headers = {"User-Agent": "rwk-tui", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    answer: http.client.HTTPResponse = _OPENER.open(urllib.request.Request(url, headers=headers), timeout=SILENCE)
    return answer


def _begins_at(headers: Message) -> int:
    found = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects as everybody does, but never from a protected connection to an open one."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        if req.type == "https" and not newurl.lower().startswith("https:"):
            raise EngineError(f"{req.full_url}: sends on to {newurl}, which is not protected")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


_OPENER = urllib.request.build_opener(_Redirects)


@contextmanager
def _said_plainly(url: str) -> Iterator[None]:
    """Turn what can go wrong on the way into one line."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (http.client.NOT_FOUND, http.client.GONE, http.client.FORBIDDEN):
            raise NotServed(f"{url}: the server has no such file ({error.code})") from None
        raise EngineError(f"{url}: the server says {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        reason = error.reason
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise Unreachable(f"{url}: its certificate is not trusted ({reason.verify_message})") from None
        words = (reason.strerror if isinstance(reason, OSError) else "") or str(reason)
        raise Unreachable(f"{url}: can't be reached ({words})") from None
    except (http.client.HTTPException, ValueError) as error:
        raise EngineError(f"{url}: the server's answer makes no sense ({type(error).__name__})") from None
    except TimeoutError:
        raise EngineError(f"{url}: the server fell silent for {SILENCE:g} s; try again, it goes on there") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(f"{error.filename or 'the engine cache'}: no space left on device; make room") from None
        if isinstance(error, ConnectionError | socket.gaierror | ssl.SSLError):
            raise EngineError(f"{url}: broke off ({error.strerror or error}); try again, it goes on there") from None
        raise EngineError(f"{error.filename or url}: {error.strerror or error}") from None
