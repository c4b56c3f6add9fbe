"""How many pods were replaced: a pod that only came, or only went, took nobody's place."""

from __future__ import annotations

import pytest

from rwk_tui.board.kube_rows import DeploymentRow, PodRow, PodState
from rwk_tui.watch.kube.replaced import Replacements


class World:
    """Ten pods of "web" that have long been ready, since second 0; the fault is at second 10."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pods: dict[str, PodRow] = {}
        self.deployment = DeploymentRow(seen_at=0.0, namespace="default", name="web", wanted=10)
        self.replacements = Replacements(lambda: self.now)
        for number in range(10):
            self.is_(f"old-{number}", "running", ready=True, news=False)
        self.now = 20.0

    def is_(self, name: str, state: PodState, *, ready: bool = False, owner: str = "web", news: bool = True) -> None:
        row = PodRow(
            seen_at=self.now,
            namespace="default",
            name=name,
            node="core-02",
            state=state,
            since=0.0,
            ready=ready,
            owner=owner,
            uid=name,
        )
        self.replacements.pod(self.pods.get(name), row, news=news)
        self.pods[name] = row

    def is_gone(self, name: str) -> None:
        self.replacements.pod(self.pods.pop(name), None, news=True)

    def comes(self, name: str, owner: str = "web") -> None:
        self.is_(name, "pending", owner=owner)
        self.is_(name, "starting", owner=owner)
        self.is_(name, "running", ready=True, owner=owner)

    def scale(self, wanted: int) -> None:
        old = self.deployment
        self.deployment = DeploymentRow(seen_at=self.now, namespace="default", name="web", wanted=wanted)
        self.replacements.deployment(old, self.deployment)

    @property
    def count(self) -> int:
        return self.replacements.count(10.0)


@pytest.fixture
def world() -> World:
    return World()


def test_five_pods_of_a_dead_node_are_replaced(world: World) -> None:
    assert world.count == 0
    for number in range(5):
        world.is_(f"old-{number}", "running", ready=False)  # nobody hears of its node any more
        world.is_(f"old-{number}", "terminating")
        world.is_(f"new-{number}", "pending")
    assert world.count == 0
    for number in range(5):
        world.is_(f"new-{number}", "running", ready=False)
        world.is_(f"new-{number}", "running", ready=True)
    assert world.count == 5
    for number in range(5):
        world.is_gone(f"old-{number}")
    assert world.count == 5
    assert world.replacements.count(world.now) == 0


def test_pods_that_only_come_back_are_not_replaced(world: World) -> None:
    for _ in range(3):
        world.is_("old-1", "running", ready=False)
        world.is_("old-1", "running", ready=True)
    assert world.count == 0


def test_scaling_is_no_replacement(world: World) -> None:
    world.scale(12)
    world.comes("more-1")
    world.comes("more-2")
    assert world.count == 0
    world.scale(9)
    for name in ("more-1", "more-2", "old-1"):
        world.is_(name, "terminating")
        world.is_gone(name)
    assert world.count == 0


def test_a_loss_while_scaled_up_counts_the_loss_alone(world: World) -> None:
    world.scale(12)
    world.is_("old-1", "failed")
    for name in ("more-1", "more-2", "new-1"):
        world.comes(name)
    assert world.count == 1


def test_owners_are_told_apart(world: World) -> None:
    world.is_("old-1", "terminating")
    world.comes("other-1", owner="other")
    assert world.count == 0


def test_a_pod_that_never_was_ready_is_nobodys_predecessor(world: World) -> None:
    world.is_("new-1", "pending")
    world.is_("new-1", "failed")
    world.comes("new-2")
    assert world.count == 0


def test_what_came_before_or_was_on_its_way_then_does_not_count(world: World) -> None:
    world.now = 5.0
    world.is_("new-1", "pending")
    world.now = 20.0
    world.is_("new-1", "running", ready=True)
    world.is_("old-1", "terminating")
    assert world.count == 0


def test_a_pod_that_is_replaced_twice_counts_twice(world: World) -> None:
    world.is_("old-1", "terminating")
    world.comes("new-1")
    world.is_gone("new-1")
    world.comes("new-2")
    assert world.count == 2


def test_another_pod_of_the_same_name_is_another_pod(world: World) -> None:
    again = PodRow(
        seen_at=0.0,
        namespace="default",
        name="old-1",
        node="core-03",
        state="running",
        since=0.0,
        ready=True,
        owner="web",
        uid="another",
    )
    world.replacements.pod(world.pods["old-1"], again, news=True)
    assert world.count == 1


def test_kubernetes_set_down_leaves_nothing_to_count(world: World) -> None:
    world.is_("old-1", "terminating")
    world.comes("new-1")
    world.replacements.forget()
    assert world.count == 0
