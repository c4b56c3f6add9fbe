"""One collection kept in step: whatever breaks, it begins again by itself, and nothing of it is shown as live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from support.watch_kube import FakeKubernetes, node, pod

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import PodRow
from rwk_tui.cluster.access import Access
from rwk_tui.watch.kube.informer import BATCH, Informer
from rwk_tui.watch.kube.kinds import NODES, PODS
from rwk_tui.watch.kube.protocol import Kube
from rwk_tui.watch.kube.refusals import no_listener, refusal
from rwk_tui.watch.kube.shelves import pod_shelf
from rwk_tui.watch.kube.wire import Pod

WAIT = 20.0


class World:
    """An informer of pods over a pretended Kubernetes; `log` holds its state after each change of it."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.hub = Hub()
        self.kubernetes = FakeKubernetes()
        self.kubernetes.put(PODS, pod("web-1", "core-02"), pod("web-2", "core-03"))
        self.heard: list[tuple[PodRow | None, PodRow | None]] = []
        self.shelf = pod_shelf(self.hub, lambda old, new: self.heard.append((old, new)))
        self.log: list[tuple[bool, str]] = []
        self.access: Access | None = None
        self.informer: Informer[Pod] = Informer(
            PODS, self.shelf, self.connect, self.changed, slack=0.02, seconds=seconds
        )

    async def connect(self) -> Kube:
        return self.kubernetes.connect("any", 6443, None)  # type: ignore[arg-type]

    def changed(self) -> None:
        state = (self.informer.in_step, self.informer.why)
        if not self.log or self.log[-1] != state:
            self.log.append(state)

    def names(self) -> list[str]:
        return [row.name for row in self.hub.board.rows(PodRow)]

    async def shows(self, *names: str) -> None:
        assert await self.hub.wait(lambda _: self.names() == list(names), WAIT), self.names()

    async def in_step(self) -> None:
        async with asyncio.timeout(WAIT):
            while not self.informer.in_step:  # noqa: ASYNC110 - it has no event of its own
                await asyncio.sleep(0.005)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    async for one in running(made):
        yield one


async def running(made: World) -> AsyncIterator[World]:
    task = asyncio.create_task(made.informer.run())
    await made.in_step()
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_listed_and_what_comes_after_it_shows(world: World) -> None:
    await world.shows("web-1", "web-2")
    world.kubernetes.put(PODS, pod("web-3"))
    await world.shows("web-1", "web-2", "web-3")
    world.kubernetes.put(PODS, pod("web-3", "core-02"))
    assert await world.hub.wait(lambda board: board.rows(PodRow)[2].state == "running", WAIT)
    world.kubernetes.drop(PODS, "default/web-1")
    await world.shows("web-2", "web-3")
    assert world.kubernetes.asked == ["list pods", "watch pods"]


async def test_a_version_that_is_gone_is_listed_anew_at_once(world: World) -> None:
    world.kubernetes.drop(PODS, "default/web-1", quietly=True)
    world.kubernetes.put(PODS, pod("web-9"))
    world.kubernetes.break_watches(refusal(410, b'{"message": "too old resource version: 1 (100)"}'))
    await world.shows("web-2", "web-9")
    await world.in_step()
    assert (False, "the watch of pods broke off: it answers 410: too old resource version: 1 (100), listed anew") in (
        world.log
    )


async def test_a_reset_connection_is_said_and_resumed_and_what_vanished_meanwhile_goes(world: World) -> None:
    world.kubernetes.down["any"] = no_listener()
    world.kubernetes.break_watches()
    broke = (False, "the watch of pods broke off: the connection to the API server broke, tried again in 0.25 s")
    refused = (False, "the list of pods broke off: no API server listens, tried again in 0.5 s")
    async with asyncio.timeout(WAIT):
        while world.log[-1] != refused:  # noqa: ASYNC110 - it has no event of its own
            await asyncio.sleep(0.005)
    assert world.log[-2:] == [broke, refused]
    assert world.names() == ["web-1", "web-2"]  # the last values stay
    world.kubernetes.drop(PODS, "default/web-2", quietly=True)
    world.kubernetes.down.clear()
    await world.shows("web-1")
    await world.in_step()
    assert world.informer.why == ""
    assert world.heard[-1][1] is None


async def test_one_that_hangs_is_not_waited_for(world: World) -> None:
    world.kubernetes.hung.add("any")
    world.kubernetes.break_watches()
    assert await world.hub.wait(lambda _: True, 0.1)
    async with asyncio.timeout(WAIT):
        while "does not answer within" not in world.informer.why:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    world.kubernetes.hung.clear()
    world.informer.renew()
    await world.in_step()


async def test_an_older_database_is_listed_whatever_its_versions(world: World) -> None:
    before = world.kubernetes.backup()
    world.kubernetes.put(PODS, pod("web-3"), pod("web-1", "core-03"))
    await world.shows("web-1", "web-2", "web-3")
    world.kubernetes.restore(before)
    await world.shows("web-1", "web-2")
    assert world.hub.board.rows(PodRow)[0].node == "core-02"
    await world.in_step()
    world.kubernetes.put(PODS, pod("web-4"))
    await world.shows("web-1", "web-2", "web-4")


async def test_a_watch_that_ends_as_agreed_goes_on_without_a_list() -> None:
    made = World(seconds=0.1)
    async for world in running(made):
        await asyncio.sleep(0.35)
        world.kubernetes.put(PODS, pod("web-3"))
        await world.shows("web-1", "web-2", "web-3")
        assert world.kubernetes.asked.count("list pods") == 1
        assert world.kubernetes.asked.count("watch pods") >= 3
        assert world.log[-1] == (True, "")


async def test_one_that_ends_early_though_in_good_order_is_not_trusted(world: World) -> None:
    world.kubernetes.drop(PODS, "default/web-1", quietly=True)
    world.kubernetes.end_watches()
    await world.shows("web-2")
    await world.in_step()
    assert any("the API server ended it" in why for _, why in world.log)


async def test_asked_to_it_lists_anew_though_its_watch_seems_well(world: World) -> None:
    world.kubernetes.drop(PODS, "default/web-1", quietly=True)
    assert world.names() == ["web-1", "web-2"]
    world.informer.renew()
    assert not world.informer.in_step
    await world.shows("web-2")
    await world.in_step()


async def test_an_equal_list_changes_nothing(world: World) -> None:
    world.hub.drain()
    world.heard.clear()
    world.informer.renew()
    await world.in_step()
    assert world.heard == []
    assert world.hub.drain().rows == ()


async def test_thousands_of_pods_never_hold_up_the_loop() -> None:
    made = World()
    made.kubernetes.put(PODS, *(pod(f"load-{number}", f"node-{number % 100}") for number in range(3000)))
    at_once: list[int] = []

    async def count() -> None:
        """How many pods come between two turns of somebody else."""
        before = 0
        while True:
            now = len(made.heard)
            at_once.append(now - before)
            before = now
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    async for _ in running(made):
        assert sum(at_once) <= len(made.heard) == 3002
    counting.cancel()
    assert 0 < max(at_once) <= BATCH


async def test_kinds_do_not_mix() -> None:
    made = World()
    made.kubernetes.put(NODES, node("core-02"))
    async for world in running(made):
        await world.shows("web-1", "web-2")
