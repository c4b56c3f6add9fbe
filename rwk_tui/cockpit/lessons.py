"""What help teaches of each pane: what it shows, and the words of the field that are read there; only data."""

from __future__ import annotations

import msgspec


class Lesson(msgspec.Struct, frozen=True):
    """One pane explained: its title, what it `shows`, and its `words`, each with what it means."""

    title: str
    shows: str
    words: tuple[tuple[str, str], ...]


LESSONS: dict[str, Lesson] = {
    "machines": Lesson(
        "Machines",
        "Three machines and what runs on each. A machine is a virtual one, a host of yours or, on the local lab, a "
        "directory and a group of processes. Power, programs and links fail each on their own.",
        (
            (
                "unit",
                "One supervised program on a machine, such as etcd or an API server. ★ leads the others of its kind.",
            ),
            ("halted", "Shut down in order: every program was asked to end and had time to hand over."),
            ("power cut", "Everything ended at once, as if somebody pulled the plug. The disk is still there."),
            ("gone", "Destroyed, and its disk with it. What takes its place begins with nothing."),
            ("paused", "Frozen: the process is there and its connections stay open, but it answers nobody."),
            ("cut off", "It runs, but reaches no other machine. From inside it looks as if the others had died."),
        ),
    ),
    "etcd": Lesson(
        "etcd",
        "The members of the etcd cluster, the database in which Kubernetes keeps everything it knows. They agree on"
        " every write by a protocol called raft, so that any minority of them may fail.",
        (
            ("member", "One etcd process of the cluster, with a copy of all data on its own disk."),
            ("voter", "A member whose vote counts, when a leader is elected and when a write is accepted."),
            (
                "learner",
                "A new member that receives all data but has no vote yet, so it can't cost the quorum. Once it has "
                "caught up it is promoted to a voter.",
            ),
            (
                "leader",
                "The voter that puts all writes in order and sends them to the others (★). When the others hear "
                "nothing from it, they elect one of themselves.",
            ),
            (
                "quorum",
                "A majority of the voters: 2 of 3, 3 of 5. A write counts once that many have it on disk. Without a"
                " quorum nothing can be written.",
            ),
            (
                "term",
                "The number of an election. It only grows, and each term has one leader at most: whoever comes back"
                " with an older one must follow.",
            ),
            ("index", "How far the member is in raft's log: the last entry that it has applied to its data."),
            ("lag", "How many entries it has yet to apply, against the furthest that any member knows of."),
        ),
    ),
    "kubernetes": Lesson(
        "Kubernetes",
        "The API servers, who leads the control plane, the deployments, and every node with its pods. Each API "
        "server is asked how it is; all the rest is what the API says, and it keeps that in etcd.",
        (
            (
                "API server",
                "The one door: people, kubelets and controllers all read and write through it. Only it talks to etcd.",
            ),
            (
                "node",
                "A machine that runs pods. Its kubelet keeps saying that it is there; when it stays silent for too "
                "long, the node is unknown.",
            ),
            (
                "lease",
                "A role with an end: whoever holds it must renew it in time. Of all controller managers (kcm) and "
                "schedulers only the one that holds its lease works, the others wait for it to run out.",
            ),
            (
                "taint",
                "A mark on a node that keeps pods away. A lost node gets one; most pods tolerate that for a while, "
                "then they are evicted.",
            ),
            ("cordoned", "The node takes no new pods. Those that it has stay."),
            ("replica", "One of the equal pods that a deployment wants. 9/10 says that nine of ten are ready."),
            (
                "terminating",
                "Deleted, but not confirmed by its kubelet. On a lost node it stays like this; its replacement "
                "doesn't wait for it.",
            ),
            ("kwok", "Stands in for a kubelet: node and pods are real for the API, but no container runs."),
        ),
    ),
    "availability": Lesson(
        "Availability",
        "Clients that write one new value after the other, as a user's programs would: one to etcd, one through the"
        " API of Kubernetes. Each bar is the last minute, second by second, the newest at the right.",
        (
            (
                "acknowledged",
                "The client was told that the write is safe. Whatever fails afterwards, it must be found again.",
            ),
            ("lost", "Acknowledged, but not found again. Any number but 0 is a broken promise."),
            (
                "gap",
                "The time in which no write was acknowledged, as while a new leader is elected. Clients wait or get"
                " errors, but a gap alone loses nothing.",
            ),
            ("not acknowledged", "An error, or no answer. It may have been written all the same: only reading tells."),
            (
                "restore lost",
                "Written after the backup that was restored, so not in it. Counted exactly, and no broken promise: "
                "a backup is that old.",
            ),
        ),
    ),
    "story": Lesson(
        "Story",
        "The open chapter as it was told so far, and the step that comes next with the commands that it will run. "
        "They are what you would type yourself, and what follows them is their real output.",
        (
            (
                "chapter",
                "One story with a beginning of its own: the lab is brought there first, whatever state it is in.",
            ),
            ("step", "Shown first, then run, checked and timed. Nothing runs before you ask for it."),
            ("check", "What must be true after the step, as a probe saw it. That a command ended well proves nothing."),
            ("saw", "What the probe found, and after how long."),
            (
                "known",
                "It did not hold, and this version of etcd is known for a bug that does just that. Neither passed nor "
                "failed; a newer etcd has it no more.",
            ),
            ("skipped", "Passed over: what it would have done was not done."),
        ),
    ),
    "timeline": Lesson(
        "Timeline",
        "What happened, newest first: what you did, what the probes saw of it, and how long it took. The times are "
        "measured from outside, as a client would notice them.",
        (
            ("(you)", "You did this, by a key or by a step of the story. All else was observed."),
            ("elected", "etcd has a leader in a new term; the time is how long it had none."),
            ("fault", "Something was broken on purpose. It stays broken until it is healed."),
            ("effect", "What a probe saw of the fault: the proof that it did strike."),
            ("outage", "Writes stopped, and for how long."),
            ("report card", "The verdict once a fault is healed: what it cost, and whether what must hold did hold."),
        ),
    ),
}
"""A lesson for each pane of the main screen."""
