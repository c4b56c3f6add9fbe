"""What a link is, on every backend: one direction between two machines, and what can be done to it."""

from __future__ import annotations

from typing import Protocol


class Link(Protocol):
    """The network path from one machine to another, one direction of it.

    A machine that is silent but hears is cut in the links that lead away from it, one that is deaf in those to it.
    """

    @property
    def source(self) -> str: ...

    @property
    def target(self) -> str: ...

    @property
    def is_cut(self) -> bool: ...

    @property
    def delay_ms(self) -> float: ...

    @property
    def jitter_ms(self) -> float:
        """By how much the delay differs from one piece of data to the next, up and down."""

    @property
    def loss(self) -> float:
        """The share of packets that it loses, 0 to 1."""

    async def cut(self) -> None:
        """Let nothing through. Where both directions are cut, open connections are closed."""

    async def delay(self, milliseconds: float, jitter: float = 0.0) -> None:
        """Hold back what goes through by that long, give or take `jitter` (ms); bytes never overtake each other.

        Raises LabError if these are no times, or the jitter is more than the delay.
        """

    async def lose(self, share: float) -> None:
        """Lose that share (0 to 1) of the packets. Raises LabError where links carry streams and no packets."""

    async def reset(self) -> None:
        """Break every connection that is open between the two machines now; new ones are let through."""

    async def heal(self) -> None:
        """Let everything through at once again."""
