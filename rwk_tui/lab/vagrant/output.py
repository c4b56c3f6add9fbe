"""What Vagrant prints, made fit for one line on a screen."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Callable, Iterator

_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[ -Z\\^_`-~])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_END = re.compile(r"\r\n|[\r\n]")
_PREFIX = re.compile(r"(==> | {4})[\w.-]+: ?")
_PROGRESS = re.compile(r"Progress: |\d+% ?$")
_PROGRESS_EVERY = 1.0
_LONGEST = 4096


def cleaned(line: str) -> str:
    """The line without colours, control characters and Vagrant's prefix that says whose it is."""
    plain = _CONTROLS.sub("", _ESCAPES.sub("", line)).replace("\t", " ")
    return _PREFIX.sub("", plain, count=1).strip()


class Splitter:
    """Cuts a stream of bytes into lines; what is printed over itself with a carriage return is lines too."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that have come to an end, raw; b"" says that no more will come."""
        text = self._rest + self._decode(data, final=not data)
        end = 0
        for found in _END.finditer(text):
            yield text[end : found.start()]
            end = found.end()
        self._rest = text[end:]
        if self._rest and (not data or len(self._rest) > _LONGEST):
            yield self._rest
            self._rest = ""


class Clean:
    """Passes on clean lines that say something new: none is empty or repeated, and of progress comes one a second."""

    def __init__(self, tell: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._last = ""
        self._progress_at = float("-inf")

    def line(self, raw: str) -> None:
        """Hear a raw line."""
        text = cleaned(raw)
        if not text or text == self._last:
            return
        if _PROGRESS.match(text):
            if self._clock() - self._progress_at < _PROGRESS_EVERY:
                return
            self._progress_at = self._clock()
        self._last = text
        self._tell(text)
