"""Files that the presenter puts on machines: certificates, kubeconfigs, what a program is configured with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rwk_tui.cluster import roles
from rwk_tui.cluster.ops import OpResult, Tell
from rwk_tui.cluster.pki import Authority, Pki
from rwk_tui.cluster.roles import Papers
from rwk_tui.lab.protocol import Place


@dataclass(frozen=True, slots=True)
class File:
    """One file below a machine's own directory; `content` is asked for in a thread, when it is needed."""

    path: str
    content: Callable[[], bytes]
    mode: int = 0o600


@dataclass(frozen=True, slots=True)
class PutOp:
    """Put files on a machine or at the desk; there is no command for it that would say more than `words`."""

    on: Place
    files: tuple[File, ...]
    words: str

    @property
    def machine(self) -> str:
        return self.on.name

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        return f"# {self.on.name} gets {self.words}"

    async def run(self, tell: Tell) -> OpResult:
        for file in self.files:
            await self.on.put(file.path, await asyncio.to_thread(file.content), file.mode)
        return OpResult()


@dataclass(frozen=True, slots=True)
class ProfileOp:
    """Give every command that is run at a place some variables, as its login profile would.

    `words` name them; `variables` is asked for in a thread, when it is needed.
    """

    at: Place
    words: str
    variables: Callable[[], Mapping[str, str]]

    @property
    def machine(self) -> str:
        return self.at.name

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        return f"# {self.at.name}: the profile sets {self.words}"

    async def run(self, tell: Tell) -> OpResult:
        await self.at.set_profile(await asyncio.to_thread(self.variables))
        return OpResult()


def certificates(pki: Pki, papers: Sequence[Papers]) -> tuple[File, ...]:
    """The files of these certificates with their keys and their authorities', issued when they are put there."""
    authorities = dict.fromkeys(one.authority for one in papers)
    files = [File(f"pki/{name}/ca.crt", partial(_ca, pki, name), 0o644) for name in authorities]
    for one in papers:
        path = f"pki/{one.authority}/{one.file}"
        files.append(File(f"{path}.crt", partial(_cert, pki, one), 0o644))
        files.append(File(f"{path}.key", partial(_key, pki, one)))
    return tuple(files)


def _ca(pki: Pki, authority: Authority) -> bytes:
    return pki.authority(authority).cert.read_bytes()


def _cert(pki: Pki, papers: Papers) -> bytes:
    return roles.issue(pki, papers).cert.read_bytes()


def _key(pki: Pki, papers: Papers) -> bytes:
    return roles.issue(pki, papers).key.read_bytes()


def in_words(papers: Sequence[Papers]) -> str:
    """Whom the certificates name, for people."""
    named = [f"{one.identity.name} ({one.authority} CA)" for one in papers]
    return f"certificates for {', '.join(named)}"
