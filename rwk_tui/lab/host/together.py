"""Doing something with several machines at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable


async def do_all(works: Iterable[Awaitable[None]]) -> None:
    """Do all at once, to the end, then raise what went wrong first."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
