"""From the actions of a chapter to operations on the lab, with their commands known before they run."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from rwk_tui.cluster import backup, reshape, secure, survivor
from rwk_tui.cluster.etcd import REGISTRY_CLIENT_PORT, Discovery, Style
from rwk_tui.cluster.handover import HandOver
from rwk_tui.cluster.kubernetes import setup
from rwk_tui.cluster.kubernetes.units import API_SERVER
from rwk_tui.cluster.members import Member
from rwk_tui.cluster.ops import MachineOp, Op, OpResult, RunOp, Tell, Together, UnitOp, commands_of
from rwk_tui.cluster.shown import ShownOp
from rwk_tui.faults.sights import leader
from rwk_tui.lab.protocol import LabError, Machine, MachineVerb, UnitVerb
from rwk_tui.story import etcd_schema as etcd
from rwk_tui.story import fault_schema, schema
from rwk_tui.story import kube_schema as kube
from rwk_tui.story.context import Context
from rwk_tui.story.look import Look
from rwk_tui.story.schema import Action, Check
from rwk_tui.story.variables import expand
from rwk_tui.watch.known import knowledge, members_of
from rwk_tui.watch.refusals import EtcdError

T = TypeVar("T")

ANSWERS_WITHIN = 3.0
"""Seconds for which a member is asked for the member list before that counts as failed."""
ASK_AGAIN = 0.2

MACHINE_VERBS: Mapping[str, MachineVerb] = {
    "start-machine": "start",
    "halt-machine": "stop",
    "cut-power": "kill",
    "destroy-machine": "destroy",
}
UNIT_VERBS: Mapping[str, UnitVerb] = {
    "start-unit": "start",
    "stop-unit": "stop",
    "restart-unit": "restart",
    "kill-unit": "kill",
    "pause-unit": "pause",
    "resume-unit": "resume",
}


@dataclass(frozen=True, slots=True)
class ToldOp:
    """Something the program does itself, for which there is nothing to type; `words` are told as a note."""

    words: str
    act: Callable[[], Awaitable[Any]]

    @property
    def machine(self) -> str:
        return ""

    async def resolve(self) -> None:
        return None

    def command(self) -> str:
        return ""

    async def run(self, tell: Tell) -> OpResult:
        tell("note", self.words)
        await self.act()
        return OpResult()


Wait = Callable[[Check], Awaitable[None]]
"""Wait for a check; raises LabError where it never holds."""


def plan(action: Action, context: Context, wait: Wait) -> tuple[Op, ...]:
    """The operations of one action, in order."""
    lab, settings, site = context.lab, context.settings, context.site
    machines = lab.machines
    deadline = context.within(settings.timeouts.member_start)

    known = known_of(context)
    match action.what:
        case schema.Run(on=on, command=command):
            words = shlex.split(command) if isinstance(command, str) else command
            place = lab.desk if on == schema.PRESENTER else machines[on]
            return (RunOp(place, tuple(expand(word, site) for word in words)),)
        case schema.MachineAction(machines=names):
            verb = MACHINE_VERBS[action.verb]
            return (Together(tuple(MachineOp(machines[name], verb) for name in many(names))),)
        case schema.UnitAction(on=on, unit=unit):
            return (UnitOp(machines[on], unit, UNIT_VERBS[action.verb]),)
        case etcd.EtcdNew(on=on, listen=listen):
            start = reshape.start_alone(machines[on], settings, public=listen == "everyone", style=context.site.style)
            return (*_papers(context, on), start)
        case etcd.EtcdPublish(on=on):
            return reshape.publish(machines[on], settings, known, deadline=deadline, style=context.site.style)
        case etcd.EtcdAdd(member=member, via=via, learner=learner):
            ours, theirs = machines[member], machines[via]
            return (reshape.add(ours, theirs, learner=learner, deadline=deadline, style=context.site.style),)
        case etcd.EtcdMember(member=member, via=via):
            return _member(action.verb, member, via, context, deadline)
        case etcd.EtcdBootstrap(on=on, token=token):
            chosen = [machines[name] for name in on]
            return (*_papers(context, *on), reshape.bootstrap(chosen, settings, token=token, style=context.site.style))
        case etcd.EtcdRegistry(on=on):
            return (reshape.registry(machines[on], settings),)
        case etcd.EtcdDiscover(on=on, registry=registry, token=token):
            discovery = Discovery(token, machines[registry].url(REGISTRY_CLIENT_PORT))
            return (reshape.discover([machines[name] for name in on], settings, discovery),)
        case etcd.EtcdWipe(on=on):
            return reshape.wipe([machines[name] for name in many(on)], leader=leader(context.hub.board))
        case fault_schema.Inject(fault=fault, target=target, confirm=confirm):
            return (ToldOp(f"fault: {fault} {target}", lambda: context.faults.inject(fault, target, confirm)),)
        case fault_schema.Heal(what=what):
            return (ToldOp(f"heal: {what}", lambda: context.faults.heal(what)),)
        case schema.Until(check=check):
            return (ToldOp(f"waiting: {check.text}", lambda: wait(check)),)
        case etcd.EtcdBackup(via=via, name=name):
            return backup.backup(machines[via], site, name, partial(context.watcher.canary.mark, name))
        case etcd.EtcdRestore(on=on, name=name, under_api=under_api):
            restored = [machines[one] for one in many(on)]
            ops = backup.restore(restored, site, settings, name, under_api=under_api)
            return (*_papers(context, *many(on)), _another_history(context, name), *ops)
        case etcd.EtcdSurvivor(on=on):
            return (_another_history(context), *survivor.alone(machines[on], site))
        case etcd.EtcdCertify(on=on):
            return secure.certify([machines[one] for one in many(on)], site)
        case etcd.EtcdSecure(on=on, plain_text=plain_text):
            return secure.secure(machines[on], site, known, plain_text=plain_text, deadline=deadline)
        case etcd.EtcdRotate(on=on):
            return secure.rotate([machines[one] for one in many(on)], site)
        case etcd.CertificatesShown(on=on):
            return (ShownOp(tuple(machines[one] for one in many(on)), site),)
        case etcd.EtcdMoveLeader(to=to):
            leads = leader(context.hub.board) or to
            if leads == to:
                return (ToldOp(f"{to} leads already", _nothing),)
            asking = reshape.move_leader(machines[to], machines[leads], known, style=_style_of(leads, context))
            return (HandOver(asking, to, lambda: leader(context.hub.board), deadline),)
        case etcd.EtcdUpgrade(on=on, to=to):
            return (backup.upgrade(machines[on], site, to),)
        case kube.KubeApi(on=on):
            return setup.api_server(machines[on], site, settings, engine=kube_engine(context))
        case kube.KubeControllers(on=on):
            return setup.controllers(machines[on], site, settings, engine=kube_engine(context))
        case kube.KubeWorker(on=on):
            engine = kube_engine(context)
            return tuple(op for name in many(on) for op in setup.worker(machines[name], site, settings, engine=engine))
        case kube.KubeUpgrade(on=on, units=units, to=to):
            return tuple(
                op for unit in many(units) for op in setup.upgrade(machines[on], unit, site, settings, engine=to)
            )
    raise LabError(f"no plan for the action {action.verb!r}")


async def _nothing() -> None:
    return None


def _another_history(context: Context, backup: str = "") -> Op:
    """Tell the canary that whoever serves next goes on from that backup, or alone with its own data ("")."""

    async def tell() -> None:
        context.watcher.canary.restored(backup)

    source = f"the backup {backup}" if backup else "what the survivor has"
    return ToldOp(f"the canary's acknowledged writes will be looked for in {source}", tell)


def kube_engine(context: Context) -> str:
    """The engine that the next unit of Kubernetes runs: that of the API servers, else as the chapter starts."""
    site = context.site
    engines = {site.engine(machine.name, API_SERVER) for machine in site.machines_with(API_SERVER)}
    return engines.pop() if len(engines) == 1 else site.engines_next.get("kubernetes", "")


def _papers(context: Context, *names: str) -> tuple[Op, ...]:
    """What machines need before a member starts there, where members ask for certificates."""
    if not context.site.secured:
        return ()
    return tuple(op for name in names for op in setup.secure_member(context.lab.machines[name], context.site))


def _style_of(machine: str, context: Context) -> Style:
    """How the member of that machine is spoken to: while certificates are brought in, members differ."""
    return replace(context.site.style, secured=context.site.is_secured(machine))


def _member(verb: str, member: str, via: str, context: Context, deadline: float) -> tuple[Op, ...]:
    known, spoken = known_of(context), _style_of(via, context)
    ours, theirs = context.lab.machines[member], context.lab.machines[via]
    match verb:
        case "etcd-join":
            join = reshape.join(ours, theirs, context.settings, known, style=context.site.style)
            return (*_papers(context, member), join)
        case "etcd-promote":
            return (reshape.promote(ours, theirs, known, deadline=deadline, style=spoken),)
        case _:
            return (reshape.remove(ours, theirs, known, deadline=deadline, style=spoken),)


def commands(actions: tuple[Action, ...], context: Context) -> tuple[str, ...]:
    """The commands of a step as they would be typed, as far as they are known now."""

    async def never(_check: Check) -> None:
        return None

    lines: list[str] = []
    for action in actions:
        for op in plan(action, context, never):
            lines.extend(commands_of(op))
    return tuple(lines)


def many(one_or_more: T | tuple[T, ...]) -> tuple[T, ...]:
    """A tuple of what may be one thing or several."""
    return one_or_more if isinstance(one_or_more, tuple) else (one_or_more,)


def known_of(context: Context) -> reshape.Knowledge:
    """What the board knows of the members, and how to ask one over a connection of its own.

    One that has just been restarted, or changes its leader, may need a moment to answer; asking again does no harm.
    """

    async def live(via: Machine) -> Sequence[Member]:
        until = time.monotonic() + context.within(ANSWERS_WITHIN)
        while True:
            try:
                async with Look(context) as look:
                    return await members_of(await look.client(via.name))
            except EtcdError:
                if time.monotonic() >= until:
                    raise
                await asyncio.sleep(ASK_AGAIN)

    return knowledge(context.hub.board, live)
