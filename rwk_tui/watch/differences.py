"""Which keys the members store differently: all of them read from each member itself, at one revision."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from rwk_tui.board.wording import count
from rwk_tui.watch.answers import Etcd, KeyValue, Page
from rwk_tui.watch.refusals import EtcdError

PAGE = 100
"""Keys read at once from one member: small enough not to hold up the event loop while they are decoded."""
MOST = 20
"""As many keys that differ are enough."""
TRIES, AGAIN = 5, 0.1
"""How often it is begun anew where a member does not have the revision (any more), and seconds until then."""
ALL = "\0"
"""As the end of a range: everything."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One key, and what each machine's member stores there; None is nothing."""

    key: str
    stored: Mapping[str, KeyValue | None]

    def line(self) -> str:
        """Who differs from the majority; without one, what each stores."""
        exact = {machine: _exact(item) for machine, item in self.stored.items()}
        (common, many), *_ = Counter(exact.values()).most_common(1)
        odd = [one for one in exact if 2 * many <= len(exact) or exact[one] != common]
        present = [one for one in exact.values() if one is not None]
        at = _first_difference([value for value, _ in present])
        by_revision = len({value for value, _ in present}) == 1 < len(set(present))

        def stores(machine: str) -> str:
            return _words(exact[machine], at, by_revision)

        parts = [f"{machine} {'' if number else 'stores '}{stores(machine)}" for number, machine in enumerate(odd)]
        others = [machine for machine in exact if machine not in odd]
        if others:
            parts.append(f"{'the others' if len(others) > 1 else others[0]} {stores(others[0])}")
        return f"{self.key}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs between the members at `revision`; `why` says why not everything was compared, "" if it was."""

    found: tuple[Difference, ...] = ()
    members: int = 0
    revision: int = 0
    compared: int = 0
    why: str = ""

    def lines(self) -> tuple[str, ...]:
        """A line for each key: which member stores something else, and what."""
        return tuple(one.line() for one in self.found)

    def words(self) -> str:
        """The result in words."""
        if self.found:
            verb = "or more differ" if self.why else "differs" if len(self.found) == 1 else "differ"
            return f"{count(len(self.found), 'key')} {verb} between {self.members} members"
        if self.why:
            return f"not compared: {self.why}"
        return f"no key of {self.compared} differs between {self.members} members"


async def differences(clients: Mapping[str, Etcd], *, timeout: float = 20.0, most: int = MOST) -> Differences:
    """Compare what the members of these machines store, within `timeout` s, until `most` keys are found to differ."""
    if len(clients) < 2:
        return Differences(members=len(clients), why="there are no two members to compare")
    found: list[Difference] = []
    revision = compared = 0
    why = ""
    try:
        async with asyncio.timeout(timeout):
            for attempt in range(TRIES):
                if attempt:
                    await asyncio.sleep(AGAIN)
                found, compared = [], 0
                try:
                    revision = min([(await client.status(timeout=timeout)).revision for client in clients.values()])
                    async with aclosing(_keys(clients, revision, timeout)) as keys:
                        async for key, stored in keys:
                            compared += 1
                            if len({_exact(item) for item in stored.values()}) == 1:
                                continue
                            found.append(Difference(key, stored))
                            if len(found) >= most:
                                why = f"it ended with the first {most} keys that differ"
                                return Differences(tuple(found), len(clients), revision, compared, why)
                except EtcdError as error:
                    why = str(error)
                    continue
                return Differences(tuple(found), len(clients), revision, compared)
    except TimeoutError:
        why = f"it took longer than {timeout:g} s"
    return Differences(tuple(found), len(clients), revision, compared, why)


async def _keys(
    clients: Mapping[str, Etcd], revision: int, timeout: float
) -> AsyncGenerator[tuple[str, dict[str, KeyValue | None]], None]:
    """Every key that any member has, in order, with what each stores."""
    first = "\0"
    while True:
        pages: dict[str, Page] = {}
        for machine, client in clients.items():
            pages[machine] = await client.page(
                first, ALL, limit=PAGE, revision=revision, serializable=True, timeout=timeout
            )
            await asyncio.sleep(0)  # Others get a turn between pages.
        # Beyond the end of the shortest page it is not known yet what its member stores.
        ends = [page.items[-1].key for page in pages.values() if page.more and page.items]
        end = min(ends) if ends else None
        items = {machine: _until(page.items, end) for machine, page in pages.items()}
        for key in sorted(set().union(*items.values())):
            yield key, {machine: some.get(key) for machine, some in items.items()}
        if end is None:
            return
        first = end + "\0"


def _until(items: Iterable[KeyValue], end: str | None) -> dict[str, KeyValue]:
    return {item.key: item for item in items if end is None or item.key <= end}


def _exact(item: KeyValue | None) -> tuple[bytes, int] | None:
    """All that is to be equal: the value as it is stored, and since when."""
    return (item.raw or item.value.encode(), item.mod_revision) if item is not None else None


def _words(exact: tuple[bytes, int] | None, at: int, by_revision: bool) -> str:
    """What is stored, around the byte `at`."""
    if exact is None:
        return "nothing"
    text = f"'{_shortened(exact[0], at)}'"
    return f"{text} of revision {exact[1]}" if by_revision else text


def _first_difference(values: list[bytes]) -> int:
    """The index of the first byte in which not all agree."""
    shortest = min(map(len, values), default=0)
    for index in range(shortest):
        if len({value[index] for value in values}) > 1:
            return index
    return shortest


def _shortened(value: bytes, at: int, most: int = 60) -> str:
    """At most that many printable characters; those about the byte `at` are among them."""
    start = 0 if len(_printable(value[:at])) <= most - 15 else max(0, at - 10)
    text = ("…" if start else "") + _printable(value[start:])
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _printable(value: bytes) -> str:
    text = value.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
