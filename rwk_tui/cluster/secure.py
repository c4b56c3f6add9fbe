"""Certificates brought into a living cluster, member by member, and replaced while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from rwk_tui.cluster import roles
from rwk_tui.cluster.etcd import certificate_files, peer_url
from rwk_tui.cluster.files import File, ProfileOp, PutOp, certificates
from rwk_tui.cluster.members import MemberOp
from rwk_tui.cluster.ops import Op, Retry
from rwk_tui.cluster.reshape import SETTLING, Knowledge
from rwk_tui.cluster.restart import RestartOp
from rwk_tui.cluster.roles import Papers
from rwk_tui.cluster.site import Site, etcdctl_profile, etcdctl_variables
from rwk_tui.lab.protocol import Machine, UnitSpec

PlainText = Literal["allowed", "refused"]

ROLES = "as server, as peer, as client"
VARIABLES = "ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY"

_CLIENTS = ("ETCD_LISTEN_CLIENT_URLS", "ETCD_ADVERTISE_CLIENT_URLS")
_PEERS = ("ETCD_LISTEN_PEER_URLS", "ETCD_INITIAL_ADVERTISE_PEER_URLS", "ETCD_INITIAL_CLUSTER")


def certify(machines: Sequence[Machine], site: Site) -> tuple[Op, ...]:
    """Make the certificates of these machines' members and put them there; the members take no notice yet.

    Commands on the machines and at the presenter's desk show theirs from then on, to whoever asks.
    """
    ops: list[Op] = []
    for machine in machines:
        ops.append(
            PutOp(
                machine,
                certificates(site.pki, roles.etcd_member(machine)),
                f"the authority's certificate and its own: {ROLES}",
            )
        )
        ops.append(ProfileOp(machine, VARIABLES, partial(etcdctl_profile, machine)))
    return (*ops, ProfileOp(site.lab.desk, VARIABLES, partial(_desk_profile, site)))


def secure(machine: Machine, site: Site, known: Knowledge, *, plain_text: PlainText, deadline: float) -> tuple[Op, ...]:
    """Restart one member so that it speaks TLS; `deadline` (s) is for a cluster that changes no membership yet.

    While plain text is allowed, it listens to clients that speak either, and can dial peers that ask for certificates,
    but is no such peer itself. Once all members are like that, plain text can be refused, one member at a time.
    """
    if plain_text == "allowed":
        return (RestartOp(machine, site, partial(_either, machine)),)
    update = MemberOp(
        machine,
        machine,
        lambda id_: ("member", "update", id_, f"--peer-urls={peer_url(machine, scheme='https')}"),
        known.member_id,
        known.live,
        style=replace(site.style, secured=True),
    )
    # Its peers dial the new URL from the update on, so the restart follows at once.
    return (
        Retry(update, SETTLING, deadline),
        RestartOp(machine, site, partial(_only_tls, machine)),
    )


def rotate(machines: Sequence[Machine], site: Site) -> tuple[Op, ...]:
    """Put new certificates in the place of the old ones on these machines; members read them for each connection."""
    ops: list[Op] = []
    for number, machine in enumerate(machines):
        papers = roles.etcd_member(machine)
        # The presenter's is the same on each machine.
        anew = [one for one in papers if number == 0 or one.issued_as != roles.PRESENTER.file]
        ops.append(PutOp(machine, _renewed(site, papers, anew), f"new certificates in the place of the old: {ROLES}"))
    return tuple(ops)


def _desk_profile(site: Site) -> dict[str, str]:
    access = roles.access(site.pki, roles.PRESENTER)
    return {**site.variables(), **etcdctl_variables(str(access.ca), str(access.cert), str(access.key))}


def _renewed(site: Site, papers: Sequence[Papers], anew: Sequence[Papers]) -> tuple[File, ...]:
    """The files of a member's certificates; those that are asked for anew are made when they are put."""
    files = {file.path: file for file in certificates(site.pki, papers)}
    for one in anew:
        path = f"pki/{one.authority}/{one.file}.crt"
        files[path] = replace(files[path], content=partial(_anew, site, one))
    return tuple(files.values())


def _anew(site: Site, papers: Papers) -> bytes:
    pair = site.pki.issue(papers.authority, papers.issued_as or papers.file, papers.identity, anew=True)
    return pair.cert.read_bytes()


def _either(machine: Machine, spec: UnitSpec) -> UnitSpec:
    """Clients may speak plain text or TLS, at the same port; certificates are at hand for dialling peers."""
    environment = dict(spec.environment)
    for name in _CLIENTS:
        urls = environment.get(name, "").split(",") if environment.get(name) else []
        environment[name] = ",".join(dict.fromkeys([*urls, *(_tls(url) for url in urls)]))
    environment |= certificate_files(machine)
    return replace(spec, environment=tuple(environment.items()))


def _only_tls(machine: Machine, spec: UnitSpec) -> UnitSpec:
    """Clients and peers must speak TLS and show a certificate."""
    environment = dict(spec.environment)
    for name in (*_CLIENTS, *_PEERS):
        if name in environment:
            environment[name] = ",".join(dict.fromkeys(_tls(url) for url in environment[name].split(",")))
    environment |= certificate_files(machine)
    return replace(spec, environment=tuple(environment.items()))


def _tls(url: str) -> str:
    return url.replace("http://", "https://")
