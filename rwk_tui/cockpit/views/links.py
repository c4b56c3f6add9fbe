"""Links that are slow or lose packets, in words, each told where it says most."""

from __future__ import annotations

from collections.abc import Sequence

from rwk_tui.board.rows import LinkRow


def slow_words(row: LinkRow) -> str:
    """What is wrong with a link that is open: "200±50 ms, 20 % lost"; "" where nothing is."""
    parts = []
    if row.delay_ms or row.jitter_ms:
        delay = f"{row.delay_ms:.3g}" if row.delay_ms else ""
        parts.append(f"{delay}±{row.jitter_ms:.3g} ms" if row.jitter_ms else f"{delay} ms")
    if row.loss:
        parts.append(f"{row.loss * 100:.3g} % lost")
    return ", ".join(parts)


def slow_links(links: Sequence[LinkRow], names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each machine what its links are like that aren't as they should be: "200 ms to core-02".

    Where all links of a machine are alike both ways, that is said of it alone, and not once more of all others.
    """
    words = {(row.source, row.target): slow_words(row) for row in links if row.state == "open"}
    slow = {ends: said for ends, said in words.items() if said}
    whole = {name for name in names if _alike(slow, name, names)}
    told: dict[str, tuple[str, ...]] = {}
    for name in names:
        others = [other for other in names if other != name]
        found: dict[str, list[str]] = {}
        for other in others:
            said = slow.get((name, other), "")
            if said and (name in whole or other not in whole):
                found.setdefault(said, []).append(other)
        told[name] = tuple(f"{said} to {'all' if to == others else ', '.join(to)}" for said, to in found.items())
    return told


def _alike(slow: dict[tuple[str, str], str], name: str, names: Sequence[str]) -> bool:
    said = {slow.get(ends, "") for other in names if other != name for ends in ((name, other), (other, name))}
    return len(said) == 1 and "" not in said
