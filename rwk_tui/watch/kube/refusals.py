"""What an API server or the way to it said no with, in words that an audience understands."""

from __future__ import annotations

from typing import Literal

import msgspec

from rwk_tui.watch.kube.wire import Refusal

Trouble = Literal["refused", "silent", "broken", "untrusted", "answer"]
"""Nothing listens; no answer in time; the connection broke; one side's certificate is not accepted; it said no."""

TOO_NEW = "Too large resource version"
WORDS_KEPT = 160


class KubeError(Exception):
    """A request that was not answered well, in one plain line; `definite` tells that it surely was not done.

    `status` is the HTTP status, 0 where there was no answer.
    """

    def __init__(self, line: str, *, trouble: Trouble, status: int = 0, definite: bool = False) -> None:
        super().__init__(line)
        self.trouble = trouble
        self.status = status
        self.definite = definite

    @property
    def gone(self) -> bool:
        """Whether the version asked for is no longer, or not yet, there (410 and its like): list anew."""
        return self.status == 410 or (self.status == 504 and TOO_NEW in str(self))

    @property
    def forbidden(self) -> bool:
        """Whether the certificate is known but must not do this, or is not known."""
        return self.status in (401, 403)

    @property
    def missing(self) -> bool:
        """Whether there is no such thing."""
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """Whether somebody else changed or created it first."""
        return self.status == 409


def no_listener() -> KubeError:
    """Nothing listens where the API server should."""
    return KubeError("no API server listens", trouble="refused", definite=True)


def no_answer(timeout: float) -> KubeError:
    """It did not answer within `timeout` s; what was asked may be done all the same."""
    return KubeError(f"the API server does not answer within {timeout:g} s", trouble="silent")


def broken(*, definite: bool = False) -> KubeError:
    """The connection broke."""
    return KubeError("the connection to the API server broke", trouble="broken", definite=definite)


def untrusted(why: str) -> KubeError:
    """A certificate was not accepted, theirs or ours, or its file can't be used."""
    return KubeError(f"the certificates don't fit: {why}", trouble="untrusted", definite=True)


def refusal(status: int, body: bytes) -> KubeError:
    """What an answer with a status of 400 and more says; its text is the body's own where it has one."""
    try:
        said = msgspec.json.decode(body, type=Refusal)
        message = said.message or said.reason
    except msgspec.MsgspecError:
        message = body.decode(errors="replace")
    line = " ".join(message.removeprefix("etcdserver: ").split())
    if len(line) > WORDS_KEPT:
        line = line[: WORDS_KEPT - 2] + " …"
    # 429 is sent before anything is done; what a server error leaves behind is not known.
    return KubeError(
        f"it answers {status}: {line}" if line else f"it answers {status}",
        trouble="answer",
        status=status,
        definite=400 <= status < 500,
    )
