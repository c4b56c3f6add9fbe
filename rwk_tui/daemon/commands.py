"""What each command of a client sets in motion once the lab is ready."""

from __future__ import annotations

import re

from rwk_tui.board.hub import Hub
from rwk_tui.board.source import CommandRefused
from rwk_tui.daemon.connection import Connection
from rwk_tui.daemon.parts import Parts
from rwk_tui.daemon.protocol import (
    AnyCommand,
    Back,
    Cancel,
    Heal,
    Inject,
    Install,
    Logs,
    Next,
    Open,
    Power,
    Repeat,
    Shell,
    Skip,
    TerminalOf,
)
from rwk_tui.daemon.ways import ETCD_PORT
from rwk_tui.daemon.wire import encode
from rwk_tui.lab.protocol import Machine

_UNIT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_BY_HAND = {
    "start": "switched on",
    "stop": "halted",
    "kill": "power cut",
    "destroy": "destroyed, disk and all",
}


async def dispatch(command: AnyCommand, client: Connection, parts: Parts, hub: Hub) -> None:
    """Do what the command says; what it changes is seen on the board. Raises CommandRefused, in one line."""
    try:
        await _do(command, client, parts, hub)
    except parts.refusals as refusal:
        raise CommandRefused(str(refusal) or "it took too long") from refusal


async def _do(command: AnyCommand, client: Connection, parts: Parts, hub: Hub) -> None:
    director = parts.director
    match command:
        case Open(chapter=chapter, step=step):
            await director.open(chapter, step)
        case Next():
            await director.next()
        case Back():
            await director.back()
        case Repeat():
            await director.repeat()
        case Skip():
            await director.skip()
        case Cancel():
            await director.cancel()
        case Inject(fault=fault, target=target, confirm=confirm):
            await parts.faults.inject(fault, target, confirm)
        case Heal(fault=fault):
            await parts.faults.heal(fault)
        case Install(stop=True):
            parts.installs.stop()
        case Install(engines=names, more=more):
            parts.installs.begin(names, more=more)
        case Power():
            await _switch(command, parts, hub)
        case Shell():
            await _tell_terminal(command, client, parts)
        case Logs(machine=machine, unit=unit, lines=lines):
            if not _UNIT_NAME.fullmatch(unit):
                raise CommandRefused(f"{unit[:80]!r} can't be the name of a unit")
            client.follow(machine, _machine(parts, machine).unit(unit), max(1, min(lines, 2000)))
        case _:
            raise CommandRefused(f"{type(command).__name__.lower()} means nothing here")


async def _tell_terminal(command: Shell, client: Connection, parts: Parts) -> None:
    """For the client that asked, and nobody else: it is a way into the machine."""
    machine = _machine(parts, command.machine)
    # Clients ask localhost if they are told nothing, and that is not where a member of the local lab listens.
    scheme = "https" if parts.site.is_secured(machine.name) else "http"
    (member,) = machine.listen_urls(ETCD_PORT, public=False, scheme=scheme)
    found = await machine.terminal(environment={"ETCDCTL_ENDPOINTS": member})
    answer = TerminalOf(
        id=command.id,
        machine=machine.name,
        argv=found.argv,
        environment=dict(found.environment),
        directory=found.directory,
    )
    client.send(encode(answer))


async def _switch(command: Power, parts: Parts, hub: Hub) -> None:
    machine = _machine(parts, command.machine)
    if command.verb == "destroy" and command.confirm != machine.name:
        raise CommandRefused(f"destroy takes the disk too: type {machine.name} to confirm it")
    if parts.director.busy:
        raise CommandRefused("a step is at work: wait for it or cancel it")
    parts.watcher.alert()
    text = f"{machine.name}: {_BY_HAND[command.verb]} (you)"
    hub.tell("power", text, subject=f"machine/{machine.name}", by_presenter=True)
    match command.verb:
        case "start":
            await machine.start()
        case "stop":
            await machine.stop()
        case "kill":
            await machine.kill()
        case "destroy":
            await machine.destroy()
    parts.watcher.refresh()


def _machine(parts: Parts, name: str) -> Machine:
    if name not in parts.lab.machines:
        raise CommandRefused(f"there is no machine {name[:80]!r}: there are {', '.join(parts.lab.machines)}")
    return parts.lab.machines[name]
