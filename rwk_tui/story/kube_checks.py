"""What a step expects of Kubernetes: each look asks the API anew, or takes what a probe saw after the step acted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rwk_tui.board.kube_rows import ApiServerRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.rows import MemberRow, UnitRow
from rwk_tui.cluster.kubernetes.units import API_SERVER
from rwk_tui.story import kube_schema as kube
from rwk_tui.story.context import Context
from rwk_tui.story.look import Seen
from rwk_tui.story.parts import Part
from rwk_tui.watch.kube.protocol import Kube

TIMEOUT = 2.0
"""Seconds that one question may take."""
UNREADY = ("node.kubernetes.io/not-ready:", "node.kubernetes.io/unreachable:")
"""Taints that a controller puts on a node that is not ready, and takes away a moment after it is."""
LOG_LINES = 50
"""Lines of a log among which the one is looked for that says why."""
WORDS_KEPT = 200
"""Characters that are shown of it, the last ones."""
KLOG = re.compile(r"(?P<level>[IWEF])\d{4} [\d:.]+ +\d+ [^\]]*\] ")
"""What a program of Kubernetes puts before what it says: level, time, thread, place in the code."""


async def look_at_kube(what: Part, context: Context, since: float) -> Seen:
    """One look; what a probe saw before `since` (unix, s) does not count. Raises KubeError where the API can't say."""
    match what:
        case kube.ApiIs():
            return await _api(what, context, since)
        case kube.VersionIs():
            return await _version(what, context, since)
    api = context.watcher.kube_api()
    if api is None:
        return Seen(False, "there is no Kubernetes")
    match what:
        case kube.Nodes():
            return await _nodes(what, api)
        case kube.Pods():
            return await _pods(what, api)
        case kube.DeploymentIs():
            return await _deployment(what, api)
        case kube.LeaseIs():
            return await _lease(what, api, context)
    raise TypeError(f"no look for {type(what).__name__}")


async def _api(what: kube.ApiIs, context: Context, since: float) -> Seen:
    board, states, seen = context.hub.board, {}, []
    for name in _names(what.on):
        row = board.get(ApiServerRow, f"api-server/{name}")
        unit = board.get(UnitRow, f"unit/{name}/{API_SERVER}")
        runs = unit is not None and unit.state == "running"
        if row is None or (row.seen_at < since and runs):
            states[name] = "not seen yet" if runs else "down"
        else:
            states[name] = row.state if runs or row.state != "ready" else "down"
        lacks = what.state != "down" and states[name] not in (what.state, "ready")
        why = await _why(name, row, context) if lacks else ""
        seen.append(f"{name} {states[name]}{f' ({why})' if why else ''}")
    return Seen(all(state == what.state for state in states.values()), ", ".join(seen))


async def _why(name: str, row: ApiServerRow | None, context: Context) -> str:
    """What an API server waits for, as it says itself or else its log."""
    if row is not None and row.state == "unready":
        more = len(row.failing) - 3
        return ", ".join([*row.failing[:3], *([f"and {more} more"] if more > 0 else [])]) or row.why
    unit = context.lab.machines[name].unit(API_SERVER)
    status = await unit.status()
    if status.state in ("stopped", "paused"):
        return status.exit or status.state
    lines = [line async for line in unit.log(lines=LOG_LINES) if line.strip()]
    if status.state == "failed":
        # What comes after the error that ended it is where in the code that was.
        lines = [line for line in lines if (head := KLOG.match(line)) and head["level"] in "EF"] or lines
    said = KLOG.sub("", lines[-1], count=1).strip()[-WORDS_KEPT:] if lines else ""
    return ": ".join(filter(None, (status.exit, said)))


async def _nodes(what: kube.Nodes, api: Kube) -> Seen:
    rows = {row.name: row for row in await api.nodes(timeout=TIMEOUT)}
    tainted = [name for name, row in rows.items() if row.state == "ready" and _is_tainted(row)]
    ready = all(name in rows and rows[name].state == "ready" and name not in tainted for name in what.ready or ())
    lost = all(name in rows and rows[name].state != "ready" for name in what.not_ready or ())
    words = (f"{name} {row.state}{' but tainted' if name in tainted else ''}" for name, row in sorted(rows.items()))
    return Seen(ready and lost, ", ".join(words) or "no nodes")


def _is_tainted(row: NodeRow) -> bool:
    """Whether it takes no pods, though it is ready, because the controller has not seen that yet."""
    return any(taint.startswith(UNREADY) for taint in row.taints)


async def _pods(what: kube.Pods, api: Kube) -> Seen:
    rows = [row for row in await api.pods("default", timeout=TIMEOUT) if row.owner == what.of]
    counted = [
        row for row in rows if (not what.on or row.node == what.on) and (not what.not_on or row.node != what.not_on)
    ]
    states = Counter(row.state for row in counted)
    waiting = states["pending"] + states["starting"]
    holds = (
        (what.running is None or states["running"] == what.running)
        and (what.terminating is None or states["terminating"] == what.terminating)
        and (what.pending is None or waiting == what.pending)
    )
    return Seen(holds, _counted(rows))


def _counted(rows: Sequence[PodRow]) -> str:
    """Pods by state and node, in words."""
    counts = Counter((row.state, row.node) for row in rows)
    parts = [f"{number} {state}{f' on {node}' if node else ''}" for (state, node), number in sorted(counts.items())]
    return ", ".join(parts) or "no pods"


async def _deployment(what: kube.DeploymentIs, api: Kube) -> Seen:
    rows = await api.deployments("default", timeout=TIMEOUT)
    row = next((row for row in rows if row.name == what.name), None)
    if row is None:
        return Seen(not what.exists, f"there is no {what.name}")
    holds = (
        what.exists
        and (what.wanted is None or row.wanted == what.wanted)
        and (what.ready is None or row.ready == what.ready)
    )
    return Seen(holds, f"{row.ready} of {row.wanted} ready")


async def _lease(what: kube.LeaseIs, api: Kube, context: Context) -> Seen:
    row = await api.lease(what.name, timeout=TIMEOUT)
    if row is None or not row.holder:
        return Seen(False, "nobody holds it")
    seen = context.hub.board.get(LeaseRow, row.key)  # the watch may have found out where it runs
    holder = row.machine or (seen.machine if seen is not None and seen.holder == row.holder else "") or row.holder
    holds = (what.holder is None or holder == what.holder) and holder != what.other_than
    return Seen(holds, holder)


async def _version(what: kube.VersionIs, context: Context, since: float) -> Seen:
    board, names = context.hub.board, _names(what.on)
    found: dict[str, str] = {}
    if what.unit == "etcd":
        found = {row.machine: row.version for row in board.rows(MemberRow) if row.fresh and row.seen_at >= since}
    elif what.unit == API_SERVER:
        rows = board.rows(ApiServerRow)
        found = {row.machine: row.version for row in rows if row.state == "ready" and row.seen_at >= since}
    else:
        api = context.watcher.kube_api()
        nodes: Sequence[NodeRow] = await api.nodes(timeout=TIMEOUT) if api is not None else ()
        found = {row.name: row.version for row in nodes if row.state == "ready"}
    versions = {name: found.get(name, "").removeprefix("v") for name in names}
    holds = all(version.rpartition(".")[0] == what.minor for version in versions.values())
    return Seen(holds, ", ".join(f"{name} {version or 'does not say'}" for name, version in versions.items()))


def _names(on: str | tuple[str, ...]) -> tuple[str, ...]:
    return (on,) if isinstance(on, str) else on
