"""The agent: runs on a machine as root while the presenter's SSH connection lasts, and does what stdin asks.

Both directions carry one JSON object a line; bytes are base64. An answer has the `id` of what was asked; what a command
prints comes in pieces, and no more of it than the other side has asked for. Nothing but Python's standard library,
3.8 or newer; rwk_tui/lab/remote/boot.py sends these files over at each start. When stdin ends, what it runs ends too;
units go on, for they are systemd's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from command import Command, Download
from facts import boot, facts
from files import Files, receive
from neighbours import announce, instead_of
from speech import Stream, answer, in_words, say
from units import Units

SILENCE = 120.0  # seconds without a word (there is one every 15 s) after which the presenter's computer is gone
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BLOCK = 256 * 1024


class Agent:
    """Reads what is asked; whatever takes time is done in a thread of its own, so that nothing holds up the rest."""

    def __init__(self, root: str, directory: str, address: str | None) -> None:
        self._files = Files(root)
        self._units = Units(directory)
        self._streams: dict[int, Stream] = {}
        self._work: dict[str, Callable[[dict[str, Any]], Any]] = {
            "put": self._files.put,
            "drop": self._files.drop,
            "remove": self._files.remove,
            "units": self._units.report,
            "facts": lambda _: facts(root),
            "address": lambda message: instead_of(address, message["within"]) if address else None,
        }

    def serve(self, source: BinaryIO) -> None:
        """Until the other side is gone."""
        say(0, hello={"python": platform.python_version(), "boot": boot()})
        parts: list[bytes] = []
        data = source.read1(BLOCK)  # what came together with the program; the buffer is empty from then on
        while data:
            first, *others = data.split(b"\n")
            parts.append(first)
            for rest in others:
                self._take(json.loads(b"".join(parts)))
                parts = [rest]
            if not select.select([source], [], [], SILENCE)[0]:
                break
            data = os.read(source.fileno(), BLOCK)
        for stream in list(self._streams.values()):
            stream.close()
        self._files.close()

    def _take(self, message: dict[str, Any]) -> None:
        ident, what = message["id"], message["do"]
        stream = self._streams.get(ident)
        if what == "ping":
            say(ident, ok=time.time())
        elif what == "more":
            if stream is not None:
                stream.more(message["bytes"])
        elif what == "close":
            if stream is not None:
                stream.close()
        elif what == "run":
            self._stream(Command(ident, message, lambda: self._ran(message["argv"])))
        elif what == "get":
            self._stream(Download(ident, self._files.path(message)))
        else:
            self._thread(lambda: answer(ident, lambda: self._work[what](message)))

    def _stream(self, stream: Command | Download) -> None:
        self._streams[stream.ident] = stream

        def work() -> None:
            try:
                stream.main()
            except OSError as error:
                say(stream.ident, error=in_words(error))
            finally:
                del self._streams[stream.ident]

        self._thread(work)

    @staticmethod
    def _thread(work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()

    def _ran(self, argv: list[str]) -> None:
        if os.path.basename(argv[0]) == "systemctl":
            self._units.touch()


def main() -> None:
    """Serve, or with `--receive` take one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default="/var/lib/rwk", help="what is ours on this machine")
    parser.add_argument("--units", default="/etc/systemd/system", help="where unit files lie")
    parser.add_argument("--address", help="where the other machines reach this one")
    parser.add_argument("--receive", nargs=3, metavar=("PATH", "SIZE", "SHA256"), help="install one file from stdin")
    options = parser.parse_args()
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{PATH}"
    os.umask(0o077)
    threading.stack_size(256 * 1024)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if options.receive:
        path, size, checksum = options.receive
        receive(sys.stdin.buffer, os.path.join(options.root, path), int(size), checksum)
    else:
        if options.address:
            announce(options.address)
        Agent(options.root, options.units, options.address).serve(sys.stdin.buffer)


if __name__ == "__main__":
    main()
