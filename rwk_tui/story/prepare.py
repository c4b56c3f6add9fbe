"""Brings the lab from any state to where a chapter starts, by the shortest way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Literal

from rwk_tui.cluster.kubernetes import setup
from rwk_tui.cluster.ops import Op, RunOp
from rwk_tui.cluster.version import Version, etcd_version
from rwk_tui.lab.protocol import LabError, MachineDown
from rwk_tui.story import kube_schema as kube
from rwk_tui.story.checks import Memory, wait_for
from rwk_tui.story.context import Context
from rwk_tui.story.etcd_schema import EtcdBootstrap, EtcdNew
from rwk_tui.story.look import Look
from rwk_tui.story.plan import plan
from rwk_tui.story.schema import Action, Chapter, Check, Serving, Starts


async def build_starts(chapter: Chapter, context: Context) -> None:
    """Reset the lab and build what the chapter starts with. Raises LabError or EtcdError where that can't be done."""
    starts = chapter.starts
    context.faults.forget()  # the reset undoes them all
    await context.lab.reset()
    context.watcher.canary.new_epoch(f"a fresh lab for {chapter.name}")
    await aim(starts, context)
    await _machines(starts, context)
    await _start_etcd(starts, context)
    if starts.secured:
        await do((setup.let_presenter_in(context.site),), context)
    for name in starts.api:
        # An API server waits for its etcd by itself, and most of its start is its own.
        await do(plan(Action(verb="kube-api", what=kube.KubeApi(on=name)), context, _never), context)
    await _etcd_serves(starts, context)
    if starts.api:
        await build_kubernetes(starts, context)
    context.watcher.refresh()


async def aim(starts: Starts, context: Context) -> None:
    """Let what is set up from now on be like the chapter starts, and look how things are now."""
    context.site.secure_next = starts.secured
    context.site.engines_next = {name: engine for name in ("etcd", "kubernetes") if (engine := starts.engine(name))}
    await context.site.look()


async def find_version(context: Context) -> Version:
    """The version of etcd, asked on a machine that is up; () if none is."""
    for machine in context.lab.machines.values():
        try:
            return await etcd_version(machine)
        except MachineDown:
            continue
    return ()


async def _machines(starts: Starts, context: Context) -> None:
    unneeded = [machine for name, machine in context.lab.machines.items() if name not in starts.machines]
    await asyncio.gather(*(machine.stop() for machine in unneeded))


async def _start_etcd(starts: Starts, context: Context) -> None:
    if not starts.etcd:
        return
    if len(starts.etcd) == 1:
        action = Action(verb="etcd-new", what=EtcdNew(on=starts.etcd[0], listen=starts.listen))
    else:
        action = Action(verb="etcd-bootstrap", what=EtcdBootstrap(on=starts.etcd))
    context.watcher.alert()
    await do(plan(action, context, _never), context)


async def _etcd_serves(starts: Starts, context: Context) -> None:
    if not starts.etcd:
        return
    serving = Check(verb="serving", what=Serving(on=starts.etcd), text="etcd serves")
    await hold(serving, context, context.settings.timeouts.member_start)
    async with Look(context) as look:
        client = await look.client(starts.etcd[0])
        for key, value in starts.keys.items():
            await client.put(key, value)


LEASES: tuple[Literal["kube-controller-manager", "kube-scheduler"], ...] = ("kube-controller-manager", "kube-scheduler")


async def build_kubernetes(starts: Starts, context: Context) -> None:
    """Build the rest of Kubernetes once its API serves. Raises LabError with what was waited for."""
    patience = context.settings.timeouts
    ready = Check(verb="api", what=kube.ApiIs(on=starts.api), text="the API is ready")
    await hold(ready, context, patience.api_start)
    for name in starts.api if starts.controllers is None else starts.controllers:
        await do(plan(Action(verb="kube-controllers", what=kube.KubeControllers(on=name)), context, _never), context)
        if name == starts.api[0]:
            # The first one leads: a chapter can then say whose loss moves a lease.
            for unit in LEASES:
                held = Check(verb="lease", what=kube.LeaseIs(name=unit, holder=name), text=f"{name} leads")
                await hold(held, context, patience.api_start)
    if starts.workers:
        await do(plan(Action(verb="kube-worker", what=kube.KubeWorker(on=starts.workers)), context, _never), context)
        nodes = Check(verb="nodes", what=kube.Nodes(ready=starts.workers), text="the workers are ready")
        await hold(nodes, context, patience.api_start)
    for deployment, replicas in starts.deployments.items():
        command = ("kubectl", "create", "deployment", deployment, "--image=nginx:1.29", f"--replicas={replicas}")
        await do((RunOp(context.lab.desk, command),), context)
        running = replicas if starts.workers else None
        made = kube.DeploymentIs(name=deployment, wanted=replicas, ready=running)
        await hold(Check(verb="deployment", what=made, text=f"{deployment} is there"), context, patience.api_start)


async def do(ops: Iterable[Op], context: Context) -> None:
    """Do operations without telling. Raises LabError where a command fails."""
    for op in ops:
        await op.resolve()
        result = await op.run(lambda _stream, _text: None)
        if result.exit_code != 0:
            last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
            raise LabError(f"{op.command().splitlines()[0][:80]} ended with {result.exit_code}: {''.join(last)}")
    await context.site.look()
    context.watcher.refresh()


async def hold(check: Check, context: Context, seconds: float) -> None:
    """Wait until a check holds. Raises LabError with what was seen last."""
    deadline = context.within(seconds)
    outcome = await wait_for(check, context, Memory(began=context.hub.now()), deadline, lambda _saw: None)
    if not outcome.holds:
        raise LabError(f"not within {deadline:g} s: {check.text}; seen last: {outcome.saw}")


async def _never(_check: Check) -> None:
    return None
