"""What a step expects of restores and of certificates."""

from __future__ import annotations

import math

from rwk_tui.board.board import Board
from rwk_tui.cluster.shown import PORTS, all_shown
from rwk_tui.story.context import AftermathLike, Context
from rwk_tui.story.etcd_schema import Aftermath, NewCertificates
from rwk_tui.story.look import Seen
from rwk_tui.story.plan import many
from rwk_tui.watch.known_bugs import known_bug, versions_that_run


async def look_at_etcd(what: Aftermath | NewCertificates, context: Context, began: float) -> Seen:
    """Whether it holds; `began` (unix, s) is when the step did. Raises LabError where a port shows no certificate."""
    if isinstance(what, Aftermath):
        return _aftermath(what, context.watcher.canary.aftermath, context.hub.board)
    old = []
    for name in many(what.on):
        certificates = await all_shown(context.lab.machines[name], context.site)
        # Certificates know whole seconds only.
        old += [f"{name}:{port}" for port, one in certificates.items() if one.made < math.floor(began)]
    if old:
        return Seen(False, f"still the old one: {', '.join(old)}")
    return Seen(True, f"new ones at ports {' and '.join(str(port) for port in PORTS)} of {', '.join(many(what.on))}")


def _aftermath(what: Aftermath, seen: AftermathLike | None, board: Board) -> Seen:
    if seen is None:
        return Seen(False, "nothing was restored yet")
    if seen.why:
        return Seen(False, f"not counted yet: {seen.why}")
    if seen.name != what.backup:
        return Seen(False, f"counted for another one: {seen.name or 'a lone survivor'}")
    source = f"restored from {seen.name}" if seen.name else "the survivor alone"
    holds = not seen.missing_before and (seen.exact is True or not what.backup)
    known = known_bug("lost write", versions_that_run(board)) if seen.missing_before else ""
    return Seen(holds, seen.words(source), final=True, known=known)
