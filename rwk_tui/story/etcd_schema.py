"""What a chapter file says about etcd: starting members, changing who they are, saving what they store."""

from __future__ import annotations

from typing import ClassVar

from rwk_tui.cluster.secure import PlainText
from rwk_tui.story.parts import Listen, MachineName, Part


class EtcdNew(Part, frozen=True, kw_only=True):
    """Start a new cluster of one."""

    SHORT: ClassVar[str] = "on"
    on: MachineName
    listen: Listen = "everyone"


class EtcdPublish(Part, frozen=True, kw_only=True):
    """Let a member that kept to localhost advertise its machine's address."""

    SHORT: ClassVar[str] = "on"
    on: MachineName


class EtcdAdd(Part, frozen=True, kw_only=True):
    """Put a machine on the member list."""

    member: MachineName
    via: MachineName
    learner: bool = False


class EtcdMember(Part, frozen=True, kw_only=True):
    """Join, promote or remove one member, asking the one on `via`."""

    member: MachineName
    via: MachineName


class EtcdBootstrap(Part, frozen=True, kw_only=True):
    """Start several members of a new cluster at once."""

    SHORT: ClassVar[str] = "on"
    on: tuple[MachineName, ...]
    token: str = "rwk"


class EtcdRegistry(Part, frozen=True, kw_only=True):
    """Start the etcd in which new clusters find their members."""

    SHORT: ClassVar[str] = "on"
    on: MachineName


class EtcdDiscover(Part, frozen=True, kw_only=True):
    """Start several members at once that find each other in the registry."""

    on: tuple[MachineName, ...]
    registry: MachineName
    token: str


class EtcdWipe(Part, frozen=True, kw_only=True):
    """Stop members and delete their data."""

    SHORT: ClassVar[str] = "on"
    on: MachineName | tuple[MachineName, ...]


class EtcdBackup(Part, frozen=True, kw_only=True):
    """Save a snapshot of what etcd stores, off all machines, and say what is in it."""

    via: MachineName
    name: str


class EtcdRestore(Part, frozen=True, kw_only=True):
    """Make the members' data anew from a snapshot, and start them.

    With `under_api` revisions go on far above all that clients have seen, so that what they have cached counts as old.
    """

    on: MachineName | tuple[MachineName, ...]
    name: str
    under_api: bool = False


class EtcdUpgrade(Part, frozen=True, kw_only=True):
    """Restart a member with another engine, such as "etcd-3.7"."""

    on: MachineName
    to: str


class EtcdMoveLeader(Part, frozen=True, kw_only=True):
    """Let the leader hand over to the member of a machine."""

    SHORT: ClassVar[str] = "to"
    to: MachineName


class EtcdSurvivor(Part, frozen=True, kw_only=True):
    """Let a machine's member go on alone, as a cluster of one, because the others are gone for good."""

    SHORT: ClassVar[str] = "on"
    on: MachineName


class EtcdCertify(Part, frozen=True, kw_only=True):
    """Make the certificates of these machines' members, and put them there."""

    SHORT: ClassVar[str] = "on"
    on: MachineName | tuple[MachineName, ...]


class EtcdSecure(Part, frozen=True, kw_only=True):
    """Restart one member so that it speaks TLS, and plain text beside it or not.

    First every member allows both, then every member refuses plain text.
    """

    on: MachineName
    plain_text: PlainText


class EtcdRotate(Part, frozen=True, kw_only=True):
    """Put new certificates in the place of these machines' old ones, while their members run."""

    SHORT: ClassVar[str] = "on"
    on: MachineName | tuple[MachineName, ...]


class CertificatesShown(Part, frozen=True, kw_only=True):
    """Tell which certificates these machines' members show to new connections."""

    SHORT: ClassVar[str] = "on"
    on: MachineName | tuple[MachineName, ...]


class Aftermath(Part, frozen=True, kw_only=True):
    """What became of the canary's writes before a restore from that backup: exactly those after it are gone.

    Without a backup, a lone survivor went on with what it had: all that is expected is that it is counted.
    """

    SHORT: ClassVar[str] = "backup"
    backup: str = ""


class NewCertificates(Part, frozen=True, kw_only=True):
    """New connections to these machines' members are shown certificates that were made since the step began."""

    SHORT: ClassVar[str] = "on"
    on: MachineName | tuple[MachineName, ...]
