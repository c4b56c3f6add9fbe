"""The names of the units that make up Kubernetes, and how one is told which engine to run."""

from __future__ import annotations

API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KUBELET = "kubelet"

API_PORT = 6443
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
KUBELET_PORT = 10250
"""Upstream's usual ports."""


def program(name: str, engine: str = "") -> str:
    """The program of an engine, such as "kubernetes-1.36/kubectl"; without one, the newest that there is."""
    return f"{engine}/{name}" if engine else name


def engine_of(program: str) -> str:
    """The engine that a program was taken from, "" for the newest."""
    return program.rpartition("/")[0]
