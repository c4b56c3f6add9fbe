"""Files on this machine: whatever happens, the old content or the new is there, never half of it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import threading
from typing import Any, BinaryIO

from speech import in_words, say

BLOCK = 64 * 1024  # bytes of a program between two words about them, as in rwk_tui/lab/remote/pace.py


class Staging:
    """A file that is being written beside the one that it replaces."""

    def __init__(self, path: str, mode: int) -> None:
        self._path, self._mode = path, mode
        directory, name = os.path.split(path)
        make_private(directory)
        self._name = f"{directory}/.{name}.{os.getpid()}-{threading.get_ident()}.new"
        self.file = os.fdopen(os.open(self._name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

    def commit(self) -> None:
        """It is whole now, also if the power is cut in the next moment."""
        self.file.flush()
        os.fsync(self.file.fileno())
        os.fchmod(self.file.fileno(), self._mode)
        self.file.close()
        os.replace(self._name, self._path)
        directory = os.open(os.path.dirname(self._path), os.O_RDONLY)
        try:
            os.fsync(directory)  # the name too, and not only the content
        finally:
            os.close(directory)

    def drop(self) -> None:
        """It will not become whole."""
        with contextlib.suppress(OSError):
            self.file.close()
        with contextlib.suppress(OSError):
            os.unlink(self._name)


class Files:
    """What is written and removed; relative paths lie below the `root`, and nothing outside of it is removed."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._open: dict[int, Staging] = {}

    def path(self, message: dict[str, Any]) -> str:
        return os.path.join(self._root, message["path"])

    def put(self, message: dict[str, Any]) -> None:
        """One piece of a file; the last one makes it what it is called."""
        key, path = message["key"], self.path(message)
        try:
            if key not in self._open:
                self._open[key] = Staging(path, message["mode"])
            self._open[key].file.write(base64.b64decode(message["data"]))
            if message["last"]:
                self._open[key].commit()
                del self._open[key]
        except OSError as error:
            self.drop(message)
            left = f"{error.strerror}, {free(path) // 10**6} MB are free"
            raise OSError(error.errno, left, error.filename) from error

    def drop(self, message: dict[str, Any]) -> None:
        """The rest of that file does not come."""
        if message["key"] in self._open:
            self._open.pop(message["key"]).drop()

    def remove(self, message: dict[str, Any]) -> None:
        path = os.path.normpath(self.path(message))
        if not path.startswith(os.path.normpath(self._root) + "/"):
            raise OSError(0, f"it does not lie below {self._root}", path)
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        except FileNotFoundError:
            pass

    def close(self) -> None:
        """Nothing more comes."""
        for key in list(self._open):
            self.drop({"key": key})


def make_private(directory: str) -> None:
    """Make a directory with its parents, open to root only; those that are there stay as they are."""
    if directory and not os.path.isdir(directory):
        make_private(os.path.dirname(directory))
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o700)


def free(path: str) -> int:
    """Free bytes of the disk on which that path is or would be."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free


def receive(source: BinaryIO, path: str, size: int, checksum: str) -> None:
    """Take a file's bytes from `source` and install it as a program, once they are known to be right.

    The other side hears after each block how many it has taken, and sends no more than it may be ahead of that.
    """
    answer: dict[str, Any] = {"ok": True}
    try:
        staging = Staging(path, 0o755)
        try:
            digest = hashlib.sha256()
            left = size
            while left:
                say(0, taken=size - left)
                block = source.read(min(left, BLOCK))
                if not block:
                    raise OSError(0, "the connection was lost")
                staging.file.write(block)
                digest.update(block)
                left -= len(block)
            if digest.hexdigest() != checksum:
                raise OSError(0, "it arrived with another checksum than it has")
            staging.commit()
        except BaseException:
            staging.drop()
            raise
    except OSError as error:
        answer = {"error": in_words(error), "errno": error.errno, "free": free(path)}
    say(0, **answer)
