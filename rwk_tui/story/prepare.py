"""Brings the lab from any state to where a chapter starts, by the shortest way."""

from __future__ import annotations

import asyncio

from rwk_tui.cluster import reshape
from rwk_tui.cluster.version import Version, etcd_version
from rwk_tui.lab.protocol import LabError, MachineDown
from rwk_tui.story.checks import Memory, wait_for
from rwk_tui.story.context import Context
from rwk_tui.story.look import Look
from rwk_tui.story.schema import Chapter, Check, Serving, Starts


async def build_starts(chapter: Chapter, context: Context) -> None:
    """Reset the lab and build what the chapter starts with. Raises LabError or EtcdError where that can't be done."""
    context.faults.forget()  # the reset undoes them all
    await context.lab.reset()
    context.watcher.canary.new_epoch(f"a fresh lab for {chapter.name}")
    await _machines(chapter.starts, context)
    await _etcd(chapter.starts, context)
    context.watcher.refresh()


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


async def _etcd(starts: Starts, context: Context) -> None:
    if not starts.etcd:
        return
    machines = [context.lab.machines[name] for name in starts.etcd]
    if len(machines) == 1:
        op = reshape.start_alone(machines[0], context.settings, public=starts.listen == "everyone")
    else:
        op = reshape.bootstrap(machines, context.settings)
    context.watcher.alert()
    await op.run(lambda _stream, _text: None)
    serving = Check(verb="serving", what=Serving(on=starts.etcd), text="they serve")
    deadline = context.within(context.settings.timeouts.member_start)
    outcome = await wait_for(serving, context, Memory(began=context.hub.now()), deadline, lambda _saw: None)
    if not outcome.holds:
        raise LabError(f"etcd did not start within {deadline:g} s: {outcome.saw}")
    async with Look(context) as look:
        client = await look.client(starts.etcd[0])
        for key, value in starts.keys.items():
            await client.put(key, value)
