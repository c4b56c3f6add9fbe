"""Operations done one after another, as the story does them."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.cluster.ops import Op, Stream, commands_of


def quiet(_stream: Stream, _text: str) -> None:
    """Nobody listens to what an operation prints."""


async def do(ops: Sequence[Op]) -> list[str]:
    """Do them in order; what was shown of each just before."""
    shown: list[str] = []
    for op in ops:
        await op.resolve()
        shown.extend(commands_of(op))
        assert (await op.run(quiet)).exit_code == 0
    return shown
