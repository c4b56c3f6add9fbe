"""Runs one step: its actions in order, its commands in the background, then its checks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from rwk_tui.board.frames import Check as CheckShown
from rwk_tui.board.frames import Output, StepStatus
from rwk_tui.board.rows import MemberRow
from rwk_tui.cluster.ops import OpResult, RunOp, Stream, commands_of
from rwk_tui.faults.catalogue import FaultRefused
from rwk_tui.lab.protocol import LabError
from rwk_tui.story import etcd_schema as etcd
from rwk_tui.story import kube_schema as kube
from rwk_tui.story import schema
from rwk_tui.story.checks import Memory, wait_for
from rwk_tui.story.context import Context
from rwk_tui.story.plan import many, plan
from rwk_tui.story.schema import Action, Check, Step
from rwk_tui.watch.kube.refusals import KubeError
from rwk_tui.watch.refusals import EtcdError

ENDING = 2.0
"""Seconds that a later check is given once one has failed: the step has failed anyway."""

Show = Callable[[tuple[CheckShown, ...], tuple[str, ...]], None]
"""Hears how the checks stand and which commands ran."""
Refusals = (LabError, EtcdError, KubeError, FaultRefused, TimeoutError)


class StepFailed(Exception):
    """An action of a step did not end as it should, in one line."""


class Runner:
    """Runs steps, and owns the background commands that outlive one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._background: dict[asyncio.Task[OpResult], Literal["step", "chapter"]] = {}

    async def run(self, step: Step, show: Show) -> StepStatus:
        """Do what the step does and look whether what it expects holds.

        "known" if something did not hold, and all that did not is explained by known bugs of the engine.
        """
        now = self._context.hub.now
        memory = Memory(began=now())
        ran: list[str] = []
        checks = [CheckShown(expect=check.text, status="waiting") for check in step.expect]
        try:
            await self.act(step.title, step.do, memory, ran, lambda: show(tuple(checks), tuple(ran)))
            memory.acted = now()
            checks += memory.known
            failed = False
            for number, check in enumerate(step.expect):
                status = await self._check(number, check, checks, memory, ran, show, hurry=failed)
                failed = failed or status == "failed"
            if failed:
                return "failed"
            return "known" if any(check.status == "known" for check in checks) else "passed"
        except StepFailed as error:
            self.note(step.title, str(error))
            checks = [CheckShown(expect="every action ends as told", status="failed", saw=str(error))]
            checks += [CheckShown(expect=check.text, status="skipped") for check in step.expect]
            show(tuple(checks), tuple(ran))
            return "failed"
        finally:
            await self.end_background("step")

    async def act(
        self, title: str, actions: tuple[Action, ...], memory: Memory, ran: list[str], shown: Callable[[], None]
    ) -> None:
        """Do the actions in order; `ran` collects their commands. Raises StepFailed."""
        watcher = self._context.watcher
        for action in actions:
            watcher.alert()
            await self._context.site.look()
            for machine in _disturbed(action):
                # An election that follows is measured from here.
                watcher.expected.disturb(machine, self._context.hub.now())
            try:
                if self._ends_everything(action):
                    await self._end_everything(title, action, memory, ran, shown)
                else:
                    await self._action(title, action, memory, ran, shown)
            except Refusals as error:
                raise StepFailed(str(error) or f"{action.verb} took too long") from error
            finally:
                watcher.refresh()

    async def _action(
        self, title: str, action: Action, memory: Memory, ran: list[str], shown: Callable[[], None]
    ) -> None:
        async def wait(check: Check) -> None:
            deadline = self._deadline(check)
            outcome = await wait_for(check, self._context, memory, deadline, lambda _saw: None)
            if outcome.status == "failed":
                raise StepFailed(f"{check.text}: not within {deadline:g} s, but {outcome.saw}")
            if outcome.status == "known":
                seconds = round(outcome.seconds, 3)
                memory.known.append(CheckShown(expect=check.text, status="known", saw=outcome.words, seconds=seconds))

        what = action.what
        for op in plan(action, self._context, wait):
            await op.resolve()
            for command in commands_of(op):
                ran.append(command)
                self._print(title, op.machine, "command", command)
            shown()
            if isinstance(op, RunOp) and isinstance(what, schema.Run) and what.background:
                await self._start(title, op, "chapter" if what.background == "chapter" else "step")
                continue
            async with asyncio.timeout(self._action_deadline(action)):
                result = await op.run(self._teller(title, op.machine))
            memory.last = result
            _judge(action, result)

    def _ends_everything(self, action: Action) -> bool:
        """Whether no member keeps its data: only then is everything gone on purpose."""
        members = {row.machine for row in self._context.hub.board.rows(MemberRow)}
        return isinstance(action.what, etcd.EtcdWipe) and members <= set(many(action.what.on))

    async def _end_everything(
        self, title: str, action: Action, memory: Memory, ran: list[str], shown: Callable[[], None]
    ) -> None:
        """Wipe the whole cluster. The canary pauses: etcd would wait for its writes, which nobody can acknowledge."""
        canary = self._context.watcher.canary
        canary.pause()
        try:
            await self._action(title, action, memory, ran, shown)
            canary.new_epoch("the members' data was deleted")
        finally:
            canary.resume()

    async def _check(
        self,
        number: int,
        check: Check,
        checks: list[CheckShown],
        memory: Memory,
        ran: list[str],
        show: Show,
        *,
        hurry: bool,
    ) -> StepStatus:
        started = time.monotonic()

        def put(status: StepStatus, saw: str) -> None:
            seconds = time.monotonic() - started if status != "running" else 0.0
            checks[number] = CheckShown(expect=check.text, status=status, saw=saw, seconds=round(seconds, 3))
            show(tuple(checks), tuple(ran))

        put("running", "")
        deadline = self._deadline(check)
        outcome = await wait_for(
            check, self._context, memory, min(deadline, ENDING) if hurry else deadline, lambda saw: put("running", saw)
        )
        put(outcome.status, outcome.words)
        return outcome.status

    def _action_deadline(self, action: Action) -> float:
        """Waiting for a check has the check's own deadline, with some time on top for its last look."""
        usual = self._context.within(self._context.settings.timeouts.action)
        return self._deadline(action.what.check) + usual if isinstance(action.what, schema.Until) else usual

    def _deadline(self, check: Check) -> float:
        return self._context.within(check.within or self._context.settings.timeouts.check)

    async def _start(self, title: str, op: RunOp, until: Literal["step", "chapter"]) -> None:
        running = await op.begin()
        task = asyncio.create_task(op.follow(running, self._teller(f"{title} (background)", op.machine)))
        self._background[task] = until
        # A task that is cancelled before its first step could not end its command.
        await asyncio.sleep(0)

    async def end_background(self, until: Literal["step", "chapter"]) -> None:
        """End the commands that run no longer than a step, or all of them at the end of a chapter."""
        ending = [task for task, length in self._background.items() if until == "chapter" or length == "step"]
        for task in ending:
            del self._background[task]
            task.cancel()
        for result in await asyncio.gather(*ending, return_exceptions=True):
            if isinstance(result, Exception):
                self.note("", f"in the background: {result}")

    def note(self, title: str, text: str) -> None:
        """Put a remark of the director among the output."""
        self._print(title, "", "note", text)

    def _teller(self, title: str, machine: str) -> Callable[[Stream, str], None]:
        return lambda stream, text: self._print(title, machine, stream, text)

    def _print(self, title: str, machine: str, stream: Literal["command", "out", "err", "note"], text: str) -> None:
        hub = self._context.hub
        hub.print(Output(at=hub.now(), step=title, machine=machine, stream=stream, text=text))


def _disturbed(action: Action) -> tuple[str, ...]:
    """The machines of which an action takes something away."""
    match action.what:
        case schema.MachineAction(machines=machines) if action.verb != "start-machine":
            return many(machines)
        case schema.UnitAction(on=on) if action.verb not in ("start-unit", "resume-unit"):
            return (on,)
        case etcd.EtcdUpgrade(on=on) | etcd.EtcdSecure(on=on) | etcd.EtcdSurvivor(on=on) | kube.KubeUpgrade(on=on):
            return (on,)
    return ()


def _judge(action: Action, result: OpResult) -> None:
    ends = action.what.ends if isinstance(action.what, schema.Run) else "ok"
    last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
    words = f": {last[0]}" if last else ""
    if ends == "ok" and result.exit_code != 0:
        raise StepFailed(f"{action.verb} ended with {result.exit_code}{words}")
    if ends == "fails" and result.exit_code == 0:
        raise StepFailed(f"{action.verb} should have failed but did not{words}")
