"""The upstreams whose programs the lab runs: which programs make a whole engine, and how they tell their version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ETCD_PROGRAMS = ("etcd", "etcdctl", "etcdutl")
_KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True, slots=True)
class Upstream:
    """One upstream: `programs` belong to every whole engine, `extra` only where the system has them."""

    name: str
    called: str
    programs: tuple[str, ...]
    extra: tuple[str, ...] = ()


UPSTREAMS: Mapping[str, Upstream] = {
    "etcd": Upstream("etcd", "etcd", ETCD_PROGRAMS),
    "kubernetes": Upstream("kubernetes", "Kubernetes", (*_KUBERNETES, "kubectl"), ("kubelet",)),  # kubelet: Linux only
    "kwok": Upstream("kwok", "kwok", ("kwok",)),
}


def upstream_of(program: str) -> Upstream:
    """The upstream that a program belongs to; raises KeyError for a program that is none of theirs."""
    found = next((one for one in UPSTREAMS.values() if program in (*one.programs, *one.extra)), None)
    if found is None:
        raise KeyError(program)
    return found


def version_arguments(program: str) -> tuple[str, ...]:
    """What makes the program print its version and end, without looking at any server."""
    if program == "kubectl":
        return ("version", "--client")
    return ("version",) if program in ("etcdctl", "etcdutl") else ("--version",)


def version_pattern(program: str) -> re.Pattern[str]:
    """What the line looks like in which the program tells its version; the version is group 1, without a "v"."""
    words = f"{re.escape(program)} version:?"
    if program == "kubectl":
        words = "client version:"
    elif program in (*_KUBERNETES, "kubelet"):
        words = "kubernetes"
    return re.compile(rf"^{words} v?(\d+\.\d+\.\d+\S*)", re.IGNORECASE | re.MULTILINE)
