"""Which history of etcd an acknowledged write belongs to; another one than before opens an epoch of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rwk_tui.board.hub import Hub
from rwk_tui.watch.answers import Etcd, Written
from rwk_tui.watch.epochs import Epoch
from rwk_tui.watch.history import History, Place, judge
from rwk_tui.watch.known_bugs import known_bug, tell_violation, versions_that_run
from rwk_tui.watch.ledger import Ledger
from rwk_tui.watch.recount import SUBJECT, Recount
from rwk_tui.watch.refusals import EtcdError

LONE = "a lone survivor goes on with its own data"


@dataclass(frozen=True, slots=True)
class Sent:
    """A write that is under way, and what was known when it was sent."""

    seq: int
    machine: str
    epoch: int
    generation: int
    before: Place


class Succession:
    """Follows the histories; what enters the ledger raises OSError when the disk refuses.

    `begun` is called with the epoch that ended after another one began.
    """

    def __init__(
        self, hub: Hub, ledger: Ledger, recount: Recount, begun: Callable[[Epoch], None], deadline: float
    ) -> None:
        self._hub = hub
        self._ledger = ledger
        self._recount = recount
        self._begun = begun
        self._deadline = deadline
        self._history = History()
        self._anew = ""
        self._generation = 0
        self._told = False

    def open(self) -> None:
        """Take up what the ledger knows of an earlier run."""
        seq, revision = self._ledger.epoch.newest
        self._history.restart(seq, revision)

    def send(self, machine: str) -> Sent:
        """Enter a write that is about to be sent."""
        epoch, generation = self._ledger.epoch.number, self._generation
        return Sent(self._ledger.intend(), machine, epoch, generation, self._history.place)

    def begin(self, why: str, cluster: str = "") -> None:
        """Open an epoch."""
        old, uncounted = self._ledger.epoch, self._recount.unfinished()
        self._ledger.new_epoch(why, self._hub.now(), cluster)
        self._anew, self._told = "", False
        self._history.restart()
        if uncounted:
            self._hub.tell("epoch", uncounted, level="warning", subject=SUBJECT)
        self._begun(old)

    def set_up_anew(self, why: str) -> None:
        """There is no etcd any more: the first write to the next one opens an epoch."""
        self._anew = why

    def restored(self, name: str) -> None:
        """The next one to answer was restored from that backup, or goes on alone with its own data ("")."""
        # To whom the writes went that are under way, nobody will be able to tell.
        self._generation += 1
        self._ledger.restore(name)

    def backward(self, since: float) -> list[str]:
        """A line for each write after `since` (unix, s) whose revision did not grow."""
        return self._history.backward(since)

    async def acknowledged(self, sent: Sent, written: Written, client: Etcd) -> None:
        """Enter an acknowledged write where it belongs; `client` is whom it went through."""
        if sent.generation != self._generation:
            self._ledger.unknown(sent.seq)
        elif sent.epoch != self._ledger.epoch.number:
            self._late(sent, written)
        elif not self._another(written) and await self._goes_on(sent, written, client):
            self._history.take(sent.seq, written)
            self._ledger.acknowledged(sent.seq, written.revision)

    def _late(self, sent: Sent, written: Written) -> None:
        """The write was acknowledged by the members that there were before an epoch was declared."""
        last = self._ledger.last
        ours = last is not None and last.number == sent.epoch and last.cluster in ("", written.cluster_id)
        if ours and judge(written, sent.before) == "forward":
            self._ledger.acknowledged(sent.seq, written.revision)

    def _another(self, written: Written) -> bool:
        """Open an epoch if the write went to others than this epoch's, as far as that is known at once."""
        ledger, cluster = self._ledger, written.cluster_id
        name, epoch = ledger.restored, ledger.epoch
        if name is not None and not epoch.acknowledged_count:
            self._anew = ""
            ledger.bind(cluster)
            ledger.owe(name)
        elif name is not None:
            self._succeed(f"restored from {name}" if name else LONE, cluster, name)
            return True
        elif self._anew:
            self.begin(self._anew, cluster)
            return True
        elif not epoch.cluster:
            ledger.bind(cluster)
        elif epoch.cluster != cluster:
            self._succeed("another etcd cluster answers", cluster)
            return True
        return False

    def _succeed(self, why: str, cluster: str, name: str = "") -> None:
        """Open an epoch in which it is to be counted what became of the one before."""
        self.begin(why, cluster)
        self._generation += 1
        self._ledger.owe(name)

    async def _goes_on(self, sent: Sent, written: Written, client: Etcd) -> bool:
        """Whether the write went to the history that there was when it was sent; opens an epoch if it did not."""
        course = judge(written, sent.before)
        if course == "doubtful":
            there = await self._still_there(sent, client)
            if there is None or (sent.epoch, sent.generation) != (self._ledger.epoch.number, self._generation):
                self._ledger.unknown(sent.seq)
                return False
            if not there:
                self._succeed("etcd's history began anew", written.cluster_id)
                return False
        if written.revision <= sent.before.revision:
            line = self._history.violated(self._hub.now(), sent.seq, sent.machine, written, sent.before)
            if not self._told:
                text = f"etcd's revision went back: {line}"
                known = known_bug("revision went back", versions_that_run(self._hub.board))
                tell_violation(self._hub, "violated", text, SUBJECT, known)
            self._told = True
        return True

    async def _still_there(self, sent: Sent, client: Etcd) -> bool | None:
        """Whether the latest write that was known when this one was sent is still there; None if nobody tells."""
        try:
            found = await client.get(self._ledger.key(sent.before.latest, sent.epoch), timeout=self._deadline)
        except EtcdError:
            return None
        return found is not None and found.value == self._ledger.value(sent.before.latest, sent.epoch)
