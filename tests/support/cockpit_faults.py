"""A catalogue of faults for the cockpit's tests: every domain, every shape of target, and some that can't be done."""

from __future__ import annotations

from typing import Any

from rwk_tui.board.rows import FaultKindRow

MACHINES = ("core-01", "core-02", "core-03")
ETCDS = tuple(f"{name}/etcd" for name in MACHINES)
NO_KUBERNETES = "no Kubernetes is set up"


def kind(name: str, domain: str, title: str, explain: str, *targets: str, **values: Any) -> FaultKindRow:
    """One kind of fault, with something to look at and something that must hold."""
    known: dict[str, Any] = {
        "look": "The pane of etcd: whoever led is replaced after about the election timeout.",
        "must": "Two of three go on; no acknowledged write is lost.",
        **values,
    }
    return FaultKindRow(seen_at=0.0, name=name, domain=domain, title=title, explain=explain, targets=targets, **known)


KINDS: tuple[FaultKindRow, ...] = (
    kind(
        "kill-unit",
        "process",
        "Kill a process",
        "SIGKILL: it gets no chance to say goodbye. Its connections close, so its peers notice soon.",
        "leader",
        *ETCDS,
        look="The unit fails. If it led, another member is elected after about the election timeout.",
        must="Two of three go on; no acknowledged write is lost; started again, it catches up.",
    ),
    kind(
        "pause-unit",
        "process",
        "Freeze a process",
        "SIGSTOP: connections stay open and nothing answers.",
        why="there is no unit that runs",
    ),
    kind("crash-loop", "process", "Crash again and again", "It ends as soon as it has started.", *ETCDS),
    kind(
        "power-cut",
        "machine",
        "Cut the power",
        "Everything on the machine stops at once; its disk stays.",
        "leader",
        *MACHINES,
    ),
    kind("halt", "machine", "Halt a machine", "It shuts down in order.", "leader", *MACHINES),
    kind(
        "destroy",
        "machine",
        "Destroy a machine",
        "The machine is gone, and its disk with it.",
        *MACHINES,
        healable=False,
        confirm=True,
    ),
    kind(
        "quorum-loss",
        "quorum",
        "Lose the quorum",
        "Two of three lose their power: nobody acknowledges anything.",
        "core-01+core-02",
        "core-01+core-03",
        "core-02+core-03",
    ),
    kind(
        "quorum-gone",
        "quorum",
        "Lose the quorum for good",
        "Two of three lose their disks. The one that is left starts a cluster of its own.",
        "core-02+core-03",
        "core-01+core-03",
        confirm=True,
    ),
    kind(
        "partition",
        "network",
        "Cut off a machine",
        "Both directions of every link of the machine are cut; what runs on it goes on.",
        "leader",
        *MACHINES,
    ),
    kind(
        "one-way",
        "network",
        "Cut one direction",
        "It hears all and is not heard.",
        "core-01>core-02+core-03",
        "core-02+core-03>core-01",
    ),
    kind("split", "network", "Split in two", "One against two.", *(f"{one}|core-02+core-03" for one in MACHINES[:1])),
    kind("delay", "network", "Delay every packet", "Each link is 200 ms slower.", "all", *MACHINES),
    kind(
        "loss",
        "network",
        "Lose packets",
        "One of five packets is lost.",
        why="links of the local lab carry streams and no packets; it works on VMs",
    ),
    kind("no-space", "disk", "Fill the quota", "Every member raises the alarm NOSPACE and refuses writes.", "all"),
    kind("slow-disk", "disk", "Slow the disk down", "Each sync takes 1.5 s.", "leader", *MACHINES),
    kind(
        "expired",
        "certificates",
        "Let a certificate expire",
        "Nobody talks to it any more.",
        why="the members ask for no certificates",
    ),
    kind("kill-holder", "control plane", "Kill the lease holder", "The others wait.", why=NO_KUBERNETES),
    kind("kill-kubelet", "nodes", "Kill the kubelet", "Its node is silent.", why=NO_KUBERNETES),
)
