"""What a unit prints, from the journal of its machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import msgspec

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import layout
from rwk_tui.lab.remote.host import RemoteHost
from rwk_tui.lab.remote.units import Units

_WITHIN = 20.0
_LOOK_EVERY = 0.5
_JOURNALCTL = ("journalctl", "--no-pager", "--quiet", "--all", "--output=json", "--output-fields=MESSAGE")


class _Entry(msgspec.Struct):
    cursor: str = msgspec.field(name="__CURSOR")
    at: str = msgspec.field(name="__REALTIME_TIMESTAMP")
    message: str | list[int] | None = msgspec.field(name="MESSAGE", default=None)

    @property
    def text(self) -> str:
        if isinstance(self.message, list):  # bytes that are no UTF-8
            return bytes(self.message).decode(errors="replace")
        return self.message or ""


_decode = msgspec.json.Decoder(_Entry).decode


async def log(host: RemoteHost, units: Units, name: str, lines: int, *, follow: bool) -> AsyncGenerator[str, None]:
    """The newest lines, then, with `follow`, what comes, over restarts of the machine too.

    Raises MachineDown, or LabError.
    """
    await host.agent()
    if not follow:
        await host.exec("journalctl", "--sync", within=_WITHIN)  # or the last words of what just ended may be missing
        printed = await host.checked(*_journal(name, f"--lines={lines}"), within=_WITHIN)
        for line in printed.splitlines():
            if (entry := _decode(line)) and _is_ours(entry, units, name):
                yield entry.text
        return
    start = [f"--lines={lines}"]
    while True:
        agent = await host.agent()
        try:
            run = await agent.run(_journal(name, "--follow", *start), None, "/")
            try:
                async for each in run:
                    if each.stream == "out" and _is_ours(entry := _decode(each.text), units, name):
                        start = ["--lines=all", f"--after-cursor={entry.cursor}"]
                        yield entry.text
            finally:
                await run.kill()
            raise LabError(f"journalctl on {host.name} ended")
        except LabError:
            if agent is host.agent_now:
                raise
        while host.agent_now is None:  # noqa: ASYNC110 - it may take hours, and nobody else waits for it
            await asyncio.sleep(_LOOK_EVERY)


def _journal(name: str, *words: str) -> Sequence[str]:
    # By this field and not by --unit, which would add what systemd says about the unit.
    return (*_JOURNALCTL, *words, f"_SYSTEMD_UNIT={layout.service(name)}")


def _is_ours(entry: _Entry, units: Units, name: str) -> bool:
    """Whether it was printed since the lab was last reset."""
    written = units.written(name)
    # A unit's file may have been written before the machine's clock was set back.
    since = min(written.since, units.since) if written is not None else units.since
    return int(entry.at) / 1e6 >= since
