"""Which key and which member: what two or more pretended members store differently."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from support.watch_etcd import FakeCluster, refused

from rwk_tui.watch.answers import Etcd, KeyValue
from rwk_tui.watch.differences import Difference, Differences, differences

ADDRESS = {"core-01": "10.0.0.1", "core-02": "10.0.0.2", "core-03": "10.0.0.3"}


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.lead("core-01", 2, "core-02", "core-03")
    made.store = {f"/key/{number:04d}": f"value {number}" for number in range(350)}
    return made


def clients(cluster: FakeCluster, *machines: str) -> Mapping[str, Etcd]:
    return {name: cluster.connect(ADDRESS[name], 2379) for name in machines or ADDRESS}


async def compared(cluster: FakeCluster, *machines: str) -> Differences:
    return await differences(clients(cluster, *machines))


async def test_equal_members_differ_in_nothing(cluster: FakeCluster) -> None:
    result = await compared(cluster)
    assert (result.found, result.lines(), result.why, result.compared, result.members) == ((), (), "", 350, 3)
    assert result.words() == "no key of 350 differs between 3 members"


async def test_the_one_that_lies_is_named_with_what_it_stores(cluster: FakeCluster) -> None:
    cluster.store["/rwk/fault/x"] = "truth"
    cluster.stores["core-02"] = cluster.store | {"/rwk/fault/x": "lie"}
    result = await compared(cluster)
    assert result.lines() == ("/rwk/fault/x: core-02 stores 'lie', the others 'truth'",)
    assert result.words() == "1 key differs between 3 members"


async def test_keys_that_are_missing_or_too_many_do_not_shift_the_others(cluster: FakeCluster) -> None:
    some = dict(cluster.store)
    for key in [f"/key/{number:04d}" for number in range(90, 103)]:
        del some[key]
    cluster.stores["core-03"] = some
    cluster.stores["core-01"] = cluster.store | {"/key/0200x": "more"}
    lines = (await compared(cluster)).lines()
    assert len(lines) == 14
    assert lines[0] == "/key/0090: core-03 stores nothing, the others 'value 90'"
    assert lines[-1] == "/key/0200x: core-01 stores 'more', the others nothing"


async def test_without_a_majority_everyone_is_quoted(cluster: FakeCluster) -> None:
    cluster.stores["core-02"] = cluster.store | {"/key/0007": "x"}
    two = await compared(cluster, "core-01", "core-02")
    assert two.lines() == ("/key/0007: core-01 stores 'value 7', core-02 'x'",)
    cluster.stores["core-03"] = {key: value for key, value in cluster.store.items() if key != "/key/0007"}
    three = await compared(cluster)
    assert three.lines() == ("/key/0007: core-01 stores 'value 7', core-02 'x', core-03 nothing",)


async def test_it_ends_after_twenty(cluster: FakeCluster) -> None:
    cluster.stores["core-03"] = {}
    result = await compared(cluster)
    assert (len(result.lines()), result.words()) == (20, "20 keys or more differ between 3 members")


async def test_a_member_that_does_not_answer_is_the_reason_why_nothing_is_compared(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rwk_tui.watch.differences.AGAIN", 0.0)
    cluster.broken["core-02"] = refused()
    result = await compared(cluster)
    assert (result.found, result.why) == ((), "refused: nothing listens there")
    assert result.words() == "not compared: refused: nothing listens there"
    assert (await compared(cluster, "core-01")).why == "there are no two members to compare"


async def test_it_keeps_its_deadline(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rwk_tui.watch.differences.TRIES", 1000)
    cluster.hung.add("core-02")
    async with asyncio.timeout(2.0):
        result = await differences(clients(cluster), timeout=0.3)
    assert result.why == "it took longer than 0.3 s"


def line(**raws: bytes | None) -> str:
    stored = {
        name.replace("_", "-"): None if raw is None else KeyValue("/k", raw.decode(errors="replace"), raw=raw)
        for name, raw in raws.items()
    }
    return Difference("/k", stored).line()


def test_long_values_are_shortened_to_where_they_differ() -> None:
    told = line(core_01=b"a" * 500, core_02=b"a" * 300 + b"!" + b"a" * 199, core_03=b"a" * 500)
    assert "!" in told
    assert told.count("…") == 4
    assert max(len(part) for part in told.split("'")) <= 60


def test_what_can_not_be_printed_is_escaped_and_bytes_that_are_no_text_are_told_apart() -> None:
    told = line(core_01=b"k8s\x00\n\xfe", core_02=b"k8s\x00\n\xff", core_03=b"k8s\x00\n\xff")
    assert told == r"/k: core-01 stores 'k8s\x00\n\xfe', the others 'k8s\x00\n\xff'"
    odd = line(core_01=b"\x00" * 80 + b"a", core_02=b"\x00" * 80 + b"b", core_03=b"\x00" * 80 + b"b")
    assert "a'" in odd


def test_equal_values_of_different_revisions_say_so() -> None:
    stored = {
        "core-01": KeyValue("/k", "same", mod_revision=7),
        "core-02": KeyValue("/k", "same", mod_revision=9),
        "core-03": KeyValue("/k", "same", mod_revision=9),
    }
    assert Difference("/k", stored).line() == (
        "/k: core-01 stores 'same' of revision 7, the others 'same' of revision 9"
    )
