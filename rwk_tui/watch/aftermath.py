"""What became of an older epoch's writes, once another history of etcd goes on in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rwk_tui.board.frames import Level
from rwk_tui.watch.epochs import Epoch, Mark

NAMED = 10
"""Keys that are named of those that a backup must hold and that are not there."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Of `acknowledged` writes in the old `epoch`, `found` are there and `gone` are not.

    `name` is the backup that was restored, "" if none was named. `after_backup` is how many had been acknowledged
    after it was made, None where that is not known, and `exact` whether the writes that are gone are just those. The
    first keys that the backup must hold and that are not there are `missing_before`, each one a violation. `why` says
    why nothing could be counted. Writes whose keys had been given up before, once a check had found them, count as
    found unless they came after the backup, or nothing at all of the epoch is there.
    """

    epoch: int
    name: str = ""
    acknowledged: int = 0
    found: int = 0
    gone: int = 0
    after_backup: int | None = None
    exact: bool | None = None
    missing_before: tuple[str, ...] = ()
    why: str = ""

    @property
    def level(self) -> Level:
        """How loudly it is to be told."""
        if self.missing_before:
            return "bad"
        return "warning" if self.gone or self.why else "good"

    def words(self, source: str) -> str:
        """The result in words, as for the source "restored from before"."""
        if self.why:
            return f"{source}: what became of {self.acknowledged} acknowledged writes was not counted: {self.why}"
        verb = "is" if self.found == 1 else "are"
        text = f"{source}: {self.found} of {self.acknowledged} acknowledged writes {verb} back"
        if not self.gone:
            return f"{text}; none is gone" + self._surplus()
        return f"{text}; {self.gone} {'is' if self.gone == 1 else 'are'} gone{self._reason()}{self._surplus()}"

    def _reason(self) -> str:
        if self.after_backup is None:
            return ", and what the backup held was not noted" if self.name else ""
        if not self.missing_before:
            return f", {'all ' if self.gone > 1 else ''}written after the backup"
        return f", though only {self.after_backup} had been written after the backup: {self.missing_before[0]} …"

    def _surplus(self) -> str:
        """Whether there is more than the backup can hold."""
        if self.after_backup is None or self.missing_before or self.gone >= self.after_backup:
            return ""
        return f"; {self.after_backup - self.gone} are there though they were written after the backup"


def reckon(epoch: Epoch, keys: Mapping[int, str], found: set[int], mark: Mark | None, name: str) -> Aftermath:
    """Count, given the keys of the writes that are kept and which of those were read again with their value.

    `mark` belongs to the backup of that `name`; a backup from an older epoch holds nothing of this one.
    """
    kept = epoch.acknowledged
    missing = kept.keys() - found
    given_up = epoch.acknowledged_count - len(kept)
    after = _after(epoch, mark)
    if mark is None or after is None:
        gone = len(missing) + (given_up if not found else 0)
        return Aftermath(epoch.number, name, epoch.acknowledged_count, epoch.acknowledged_count - gone, gone)
    limit = mark.revision if mark.epoch == epoch.number else 0
    beyond = {seq for seq, revision in kept.items() if revision > limit}
    before = sorted(missing - beyond)
    gone = len(missing) + after - len(beyond)
    return Aftermath(
        epoch.number,
        name,
        epoch.acknowledged_count,
        epoch.acknowledged_count - gone,
        gone,
        after,
        missing == beyond,
        tuple(keys[seq] for seq in before[:NAMED]),
    )


def _after(epoch: Epoch, mark: Mark | None) -> int | None:
    """How many writes of the epoch were acknowledged after the backup was made."""
    if mark is None or mark.epoch > epoch.number:
        return None
    return mark.after if mark.epoch == epoch.number else epoch.acknowledged_count
