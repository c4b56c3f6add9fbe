"""Who keeps the daemon alive, and for how long."""

from __future__ import annotations

import asyncio

from rwk_tui.daemon.lifetime import Lifetime


async def ends_within(lifetime: Lifetime, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await lifetime.ended.wait()
    except TimeoutError:
        return False
    return True


async def test_it_ends_when_nobody_ever_comes() -> None:
    lifetime = Lifetime(linger=60, grace=0.02)
    lifetime.begin()
    assert await ends_within(lifetime, 2)
    assert lifetime.reason == "nobody came"


async def test_a_first_client_stops_the_grace_and_a_passer_by_renews_it() -> None:
    lifetime = Lifetime(linger=60, grace=0.1)
    lifetime.begin()
    lifetime.arrived("none")
    assert not await ends_within(lifetime, 0.2)
    lifetime.left("none", detached=False)
    assert await ends_within(lifetime, 2)


async def test_a_cockpit_that_is_gone_may_come_back_within_the_linger_time() -> None:
    lifetime = Lifetime(linger=1.5)
    lifetime.arrived("cockpit")
    lifetime.left("cockpit", detached=False)
    assert not await ends_within(lifetime, 0.05)
    lifetime.arrived("cockpit")
    assert not await ends_within(lifetime, 2)
    lifetime.left("cockpit", detached=False)
    assert await ends_within(lifetime, 10)
    assert "did not come back within 1.5 s" in lifetime.reason


async def test_a_headless_client_that_is_gone_ends_it_at_once() -> None:
    lifetime = Lifetime(linger=60)
    lifetime.arrived("headless")
    lifetime.left("headless", detached=False)
    assert lifetime.ended.is_set()


async def test_it_stays_after_a_detach_whoever_passes_by() -> None:
    lifetime = Lifetime(linger=0.02, grace=0.02)
    lifetime.begin()
    lifetime.arrived("cockpit")
    lifetime.left("cockpit", detached=True)
    lifetime.arrived("none")
    lifetime.left("none", detached=False)
    assert not await ends_within(lifetime, 0.15)


async def test_it_stays_as_long_as_another_one_attends() -> None:
    lifetime = Lifetime(linger=0.02)
    lifetime.arrived("cockpit")
    lifetime.arrived("headless")
    lifetime.left("headless", detached=False)
    assert not await ends_within(lifetime, 0.1)
    lifetime.left("cockpit", detached=False)
    assert await ends_within(lifetime, 2)


async def test_the_first_reason_counts() -> None:
    lifetime = Lifetime(linger=1)
    lifetime.end("one")
    lifetime.end("two")
    assert lifetime.reason == "one"
