"""An etcd cluster that only pretends: a test says what each member answers, and when it hangs."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace

from rwk_tui.cluster.access import Access
from rwk_tui.watch.answers import Hash, KeyValue, Member, Page, Status, Written
from rwk_tui.watch.refusals import EtcdError

IDS = {"core-01": "a1", "core-02": "b2", "core-03": "c3"}
ADDRESSES = {"10.0.0.1": "core-01", "10.0.0.2": "core-02", "10.0.0.3": "core-03"}


def refused() -> EtcdError:
    return EtcdError("refused: nothing listens there", definite=True)


def timed_out() -> EtcdError:
    return EtcdError("no answer within 1 s", definite=False)


def member(name: str, *, learner: bool = False, started: bool = True) -> Member:
    number = IDS[name]
    url = f"http://10.0.0.{list(IDS).index(name) + 1}:2380"
    return Member(number, name if started else "", (url,), (url.replace("2380", "2379"),) if started else (), learner)


def status(name: str, leader: str, term: int = 2, **more: object) -> Status:
    base = Status(IDS[name], IDS.get(leader, ""), term, "cafe", version="3.7.3", raft_index=10, applied_index=10)
    return replace(base, **more)  # type: ignore[arg-type]


@dataclass
class FakeCluster:
    """What the members answer: `statuses` by machine, `broken` by machine with an error, `hung` for no answer.

    `stores` holds what single members store where that is not what all do, `lags` by how much a member's revisions are
    lower than the others', and `jitter` is for how long (s) an acknowledgement may be under way.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    broken: dict[str, EtcdError] = field(default_factory=dict)
    hung: set[str] = field(default_factory=set)
    put_fails: EtcdError | None = None
    reads_fail: EtcdError | None = None
    lags: dict[str, int] = field(default_factory=dict)
    jitter: float = 0.0
    listed: tuple[Member, ...] = ()
    store: dict[str, str] = field(default_factory=dict)
    stores: dict[str, dict[str, str]] = field(default_factory=dict)
    cluster_id: str = "cafe"
    revision: int = 0
    term: int = 2

    def lead(self, leader: str, term: int, *followers: str) -> None:
        """Let `leader` lead the given members; nobody else answers."""
        self.statuses = {name: status(name, leader, term) for name in (leader, *followers)}
        self.broken = {name: refused() for name in IDS if name not in self.statuses}
        self.listed = self.listed or tuple(member(name) for name in self.statuses)

    def run_version(self, version: str, *machines: str) -> None:
        """Let these members, or all of them, be of that version."""
        for name in machines or tuple(self.statuses):
            self.statuses[name] = replace(self.statuses[name], version=version)

    def connect(self, host: str, port: int, access: Access | None = None) -> FakeClient:
        return FakeClient(self, ADDRESSES[host])


@dataclass
class FakeClient:
    """A client of one pretended member."""

    cluster: FakeCluster
    machine: str

    async def _answer(self) -> Status:
        if self.machine in self.cluster.hung:
            await asyncio.sleep(0.05)
            raise timed_out()
        if self.machine in self.cluster.broken:
            raise self.cluster.broken[self.machine]
        if self.machine not in self.cluster.statuses:
            raise refused()
        return self.cluster.statuses[self.machine]

    async def status(self, *, timeout: float = 1.0) -> Status:
        return await self._answer()

    async def members(self, *, timeout: float = 1.0) -> tuple[Member, ...]:
        await self._answer()
        return self.cluster.listed

    async def get(self, key: str, *, serializable: bool = False, timeout: float = 5.0) -> KeyValue | None:
        await self._answer()
        if self.cluster.reads_fail is not None:
            raise self.cluster.reads_fail
        value = self.cluster.store.get(key)
        return KeyValue(key, value) if value is not None else None

    async def page(
        self,
        first: str,
        end: str,
        *,
        limit: int = 0,
        revision: int = 0,
        serializable: bool = False,
        timeout: float = 5.0,
    ) -> Page:
        await self._answer()
        if self.cluster.reads_fail is not None:
            raise self.cluster.reads_fail
        stored = self.cluster.stores.get(self.machine, self.cluster.store) if serializable else self.cluster.store
        keys = sorted(key for key in stored if first <= key and (end == "\0" or key < end))
        some = keys[:limit] if limit else keys
        items = tuple(KeyValue(key, stored[key]) for key in some)
        return Page(items, revision or max(1, self.cluster.revision), more=len(some) < len(keys))

    async def put(self, key: str, value: str, *, timeout: float = 5.0) -> Written:
        await self._answer()
        if self.cluster.put_fails is not None:
            raise self.cluster.put_fails
        self.cluster.store[key] = value
        self.cluster.revision += 1
        revision = self.cluster.revision - self.cluster.lags.get(self.machine, 0)
        written = Written(revision, self.cluster.cluster_id, self.cluster.term)
        if self.cluster.jitter:
            await asyncio.sleep(random.uniform(0, self.cluster.jitter))
        return written

    async def delete(self, key: str, end: str = "", *, timeout: float = 5.0) -> int:
        await self._answer()
        gone = [one for one in self.cluster.store if one == key or (end and key <= one < end)]
        for one in gone:
            del self.cluster.store[one]
        return len(gone)

    async def hashkv(self, revision: int = 0, *, timeout: float = 5.0) -> Hash:
        stored = self.cluster.stores.get(self.machine, self.cluster.store)
        return Hash((await self._answer()).member_id, hash(frozenset(stored.items())), revision, 0)

    async def close(self) -> None:
        return None
